"""Letters, mails, the mailer protocol, and the errors of mailers."""

import secrets
from typing import Any, Protocol, runtime_checkable

import msgspec

from asgi_auth.model.records import Record


class _Redacted(Record, frozen=True):
    """A record whose repr omits tokens, codes, and texts, because a repr can end up in logs."""

    def __repr__(self) -> str:
        """Return the fields that are not secret."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return the same fields to the library rich, which would print all fields by default."""
        return [(name, getattr(self, name)) for name in ("purpose", "to", "language", "user_id")]


class Letter(_Redacted, frozen=True, kw_only=True):
    """The content of a mail before it is rendered.

    `purpose` selects the texts, for example `verify_email`. `to` is the stored email address; a decoy has none.
    `seconds` is the lifetime of the token and the code. `values` fills further placeholders of the texts.
    """

    purpose: str
    to: str
    language: str = ""
    user_id: str | None = None
    link: str = ""
    token: str = ""
    code: str = ""
    seconds: int = 0
    values: dict[str, str] = msgspec.field(default_factory=dict)


class Mail(_Redacted, frozen=True, kw_only=True):
    """A rendered mail. All attempts to send it use the same `id`."""

    purpose: str
    """What the mail is for, such as `reset_password`: see the table of purposes."""
    to: str
    """The address of the recipient."""
    subject: str
    """The subject, in the language of the recipient."""
    text: str
    """The body as plain text."""
    html: str
    """The body as HTML."""
    link: str = ""
    """The link of the mail; empty for a mail without one."""
    token: str = ""
    """The token in the link."""
    code: str = ""
    """The code that does the same as the link."""
    language: str = ""
    """The language, such as `de`."""
    user_id: str | None = None
    """The user, where the address has an account."""
    id: str = msgspec.field(default_factory=lambda: secrets.token_hex(16))
    """A random id, such as for the header `Message-ID`."""


class MailError(Exception):
    """A mail cannot be sent, now or later. The message is logged: it must not contain addresses or secrets."""


class TemporaryMailError(MailError):
    """A mail could not be sent. A later attempt can succeed."""


@runtime_checkable
class Mailer(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail) -> None:
        """Send a mail, or pass it to a service that does.

        Raise MailError if the mail can never be sent. After TemporaryMailError, and after any other error, the mail is
        sent again later.
        """
