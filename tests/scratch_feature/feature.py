"""Nicknames: one for each user, announced by mail."""

import asyncio
from html import escape

from asgi_auth.errors import AuthError
from asgi_auth.feature import Action, Client, Feature, Identity, Line, Record, post
from asgi_auth.mail import Mail
from tests.scratch_feature.texts import text


class NicknameTakenError(AuthError):
    """Another user has this nickname."""

    status = 409
    code = "nickname_taken"
    default_detail = "This nickname is taken."


class Greeting(Record, frozen=True, kw_only=True):
    """A greeting by the new nickname."""

    text: str


class Nicknames(Feature):
    """Lets users choose a nickname, twice an hour."""

    actions = {"nickname": Action("A user chooses a nickname.", "user_updated", "user_update_fail")}  # noqa: RUF012

    def __init__(self) -> None:
        """Start without nicknames."""
        self.taken: dict[str, str] = {}
        self._sending: set[asyncio.Task[None]] = set()

    @post("/nickname", event="nickname", limits="2/h/account", errors=(NicknameTakenError,))
    async def nickname(self, *, name: Line, identity: Identity, client: Client = Client()) -> Greeting:
        """Choose your nickname."""
        if self.taken.setdefault(name, identity.id) != identity.id:
            raise NicknameTakenError
        language = self.auth.texts.choose(client.accept_language)
        user = await identity.load()
        self._mail(language, user.email, name)
        await self.auth.emit("nickname", user_id=user.id, client=client)
        return Greeting(text=text(language, "greeting", name))

    async def close(self) -> None:
        """Wait for the mails in flight."""
        await asyncio.gather(*self._sending, return_exceptions=True)

    def _mail(self, language: str, to: str, name: str) -> None:
        mailer = self.auth.mail.mailer
        if mailer is None:
            return
        subject, body = (text(language, part, name) for part in ("subject", "body"))
        mail = Mail(
            purpose="nickname", to=to, subject=subject, text=body, html=f"<p>{escape(body)}</p>", language=language
        )
        task = asyncio.create_task(mailer.send(mail))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
