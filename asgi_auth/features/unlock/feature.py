"""Unlock: a mailed link opens an account that the guesses of strangers have locked."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.accounts.purpose import MAIL_LIMITS, TOKEN_LIMITS, TOKEN_OR_CODE, Purpose
from asgi_auth.errors import InvalidOneTimeTokenError
from asgi_auth.feature import Client, Email, Feature, Form, Line, Page, Requested, TokenText, post
from asgi_auth.model import event_types as events
from asgi_auth.sources.kinds import checks_options


class Unlock(Feature):
    """Opens a locked account for the reader of its mail, who can then log in with the password.

    `ttl`: seconds until the link expires; `quiet`: seconds between two mails; `link`: a page of yours, with `{token}`.
    """

    needs_mail = True
    mails: ClassVar[tuple[str, ...]] = ("unlock",)
    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (
        Page(name="request_unlock", endpoint="request_unlock", links=("forgot_password", "login")),
        Page(name="unlock", endpoint="unlock", links=("request_unlock", "login")),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="request_unlock", page="request_unlock", also=("unlock",), after="unlock", said="mail_sent"),
        Form(endpoint="unlock", page="unlock", after="login", said="account_unlocked"),
    )

    @checks_options
    def __init__(self, *, ttl: int = 3600, quiet: int = 60, link: str | None = None) -> None:
        """Take the settings."""
        self.purpose: Purpose = Purpose("unlock", "/unlock", ttl=ttl, quiet=quiet, link=link)

    @post("/request-unlock", status=202, names="email", limits=MAIL_LIMITS)
    async def request_unlock(self, *, email: Email, request: Line = "", client: Client = Client()) -> Requested:
        """Mail a link to unlock an account. The answer is the same for every address."""
        return await self.auth.one_time.request(self.purpose, email, client, request)

    @post("/unlock", status=204, limits=TOKEN_LIMITS, schema=TOKEN_OR_CODE, errors=(InvalidOneTimeTokenError,))
    async def unlock(
        self, *, token: TokenText = "", request: Line = "", code: Line = "", client: Client = Client()
    ) -> None:
        """Unlock an account by the mailed token, or by the code with its request."""
        found = await self.auth.one_time.find((self.purpose,), token, request, code)
        async with self.auth.storage.transaction() as storage:
            user = await self.auth.one_time.redeem(storage, found, self.purpose.error)
        await self.auth.limiter.open_account(user.email_canonical, client)
        await self.auth.emit(events.UNLOCK, user_id=user.id, client=client)
