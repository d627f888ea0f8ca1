"""Letters: mails of features to users, in the language of the client, sent after the response."""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from asgi_auth.accounts.purpose import Purpose
from asgi_auth.mail.delivery import Delivery
from asgi_auth.mail.message import Letter
from asgi_auth.model.records import Client, User
from asgi_auth.texts import Texts

#: The mails to the owners of accounts that are not active, by status.
INACTIVE: Mapping[str, str] = {"closed": "account_is_closed", "disabled": "account_is_disabled"}


def notice_to(user: User | None, active: str | None = None) -> str | None:
    """Return the mail that tells the owner of an account why no token comes: `active` while the account is active."""
    return INACTIVE.get(user.status, active) if user is not None else None


class Letters:
    """Writes letters and hands them to the delivery: `auth.letters`."""

    def __init__(self, delivery: Delivery, texts: Texts, page_url: Callable[[str], str]) -> None:
        """Take the delivery; `page_url` gives the address of a page by its declared path, or an empty text."""
        self._delivery = delivery
        self._texts = texts
        self._page_url = page_url

    @property
    def can_send(self) -> bool:
        """Whether there is a mailer."""
        return self._delivery.mailer is not None

    def write(
        self,
        purpose: str,
        to: str,
        client: Client,
        *,
        user_id: str | None = None,
        values: dict[str, str] | None = None,
        language: str = "",
    ) -> Letter:
        """Write a letter in a language, by default that of the client; `values` are for its texts."""
        language = self._texts.choose(language or client.accept_language)
        return Letter(purpose=purpose, to=to, user_id=user_id, language=language, values=values or {})

    def send(self, letter: Letter) -> None:
        """Send a letter after the answer. One without an address is a decoy: rendered, and not sent."""

        async def write() -> Letter:
            return letter

        self._delivery.send_later(write, decoy=not letter.to)

    def notify(self, purpose: str, user: User, client: Client, values: dict[str, str] | None = None) -> None:
        """Send a user a letter without a token."""
        self.send(self.write(purpose, user.email, client, user_id=user.id, values=values))

    def link(self, purpose: Purpose, token: str) -> str:
        """Make the link of a mail from the configuration alone; empty when there is no page for it."""
        if purpose.link is not None:
            return purpose.link.replace("{token}", quote(token, safe=""))
        page = self._page_url(purpose.path)
        return f"{page}?token={quote(token, safe='')}" if page else ""
