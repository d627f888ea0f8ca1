"""Magic link: log in by a mail, without a password. Off by default (ASVS 6.3.6: not for the highest level)."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.accounts.purpose import MAIL_LIMITS, TOKEN_LIMITS, TOKEN_OR_CODE, Purpose
from asgi_auth.accounts.ways_in import take_over
from asgi_auth.errors import InvalidOneTimeTokenError
from asgi_auth.feature import Feature, Form, Page, post
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import Requested, TokenPair
from asgi_auth.model.records import NO_USER_ID, Client, Credential, User, new_id
from asgi_auth.sources.kinds import checks_options
from asgi_auth.storage import Storage
from asgi_auth.validation.fields import Email, Line, TokenText

KIND = "email"


class MagicLink(Feature):
    """Logs users in by a mailed link or code.

    The first login of an account with an unverified address disables its password and ends its sessions, since a
    stranger may have made the account. A reset sets a new password.
    `ttl`: seconds until the link expires; `quiet`: seconds between two mails; `link`: a page of yours, with `{token}`.
    """

    needs_mail = True
    mails: ClassVar[tuple[str, ...]] = ("magic_link",)
    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (
        Page(name="magic_link", endpoint="magic_link", entrance=True, links=("login",)),
        Page(name="magic_link_login", endpoint="magic_link_login", links=("magic_link", "login")),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(
            endpoint="magic_link",
            page="magic_link",
            also=("magic_link_login",),
            after="magic_link_login",
            said="mail_sent",
        ),
        Form(endpoint="magic_link_login", page="magic_link_login"),
    )

    @checks_options
    def __init__(self, *, ttl: int = 600, quiet: int = 60, link: str | None = None) -> None:
        """Take the settings."""
        self.purpose: Purpose = Purpose("magic_link", "/magic-link/login", ttl=ttl, quiet=quiet, link=link)

    @post("/magic-link", status=202, names="email", limits=MAIL_LIMITS)
    async def magic_link(self, *, email: Email, request: Line = "", client: Client = Client()) -> Requested:
        """Mail a link to log in. The answer is the same for every address."""
        return await self.auth.one_time.request(self.purpose, email, client, request)

    @post(
        "/magic-link/login",
        logs_in=True,
        limits=TOKEN_LIMITS,
        schema=TOKEN_OR_CODE,
        event=events.LOGIN,
        errors=(InvalidOneTimeTokenError,),
    )
    async def magic_link_login(
        self, *, token: TokenText = "", request: Line = "", code: Line = "", client: Client = Client()
    ) -> TokenPair:
        """Log in by the mailed token, or by the code with its request."""
        found = await self.auth.one_time.find((self.purpose,), token, request, code)
        user_id, now = found.user_id or NO_USER_ID, int(self.auth.now())
        async with self.auth.storage.transaction() as storage:
            before = await storage.user(user_id)
            # The address was never verified, so a stranger may have chosen the password.
            first = before is not None and not before.email_verified
            ended = await take_over(storage, user_id, now, keep=found.id) if first else []
            user = await self.auth.one_time.redeem(storage, found, self.purpose.error, {"email_verified": True})
        await self.auth.sessions.ended(user.id, ended, client)
        return await self.auth.login(user, await self._credential(user), amr=("email",), client=client)

    async def ways_in(self, storage: Storage, user: User) -> Collection[str]:  # noqa: ARG002 (all users have it)
        """Name the mailed link, which every user can ask for."""
        return ("email",)

    async def _credential(self, user: User) -> Credential:
        """Return the credential of logins by mail; the first login makes it."""
        storage, now = self.auth.storage, self.auth.now()
        fresh = Credential(
            id=new_id(now),
            user_id=user.id,
            kind=KIND,
            identifier=user.id,
            secret="",
            created_at=int(now),
            updated_at=int(now),
        )
        if await storage.add_credential(fresh):
            return fresh
        found = await storage.credential(user.id, KIND)
        if found is None:
            # The user was deleted meanwhile.
            raise self.purpose.error
        return found
