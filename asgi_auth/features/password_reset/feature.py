"""Password reset: a mail with a link and a code for users who forgot their password."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.accounts.purpose import MAIL_LIMITS, TOKEN_LIMITS, TOKEN_OR_CODE, Purpose
from asgi_auth.accounts.resets import LETTER, ResetService
from asgi_auth.accounts.ways_in import take_over
from asgi_auth.auth import Auth
from asgi_auth.errors import BusyError, InvalidResetTokenError, PasswordPolicyError
from asgi_auth.feature import Feature, Form, Page, post
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import Requested
from asgi_auth.model.records import NO_USER_ID, Client, OneTimeToken, User
from asgi_auth.sources.kinds import checks_options
from asgi_auth.storage import Storage
from asgi_auth.validation.fields import Email, Line, Secret, TokenText


class PasswordReset(Feature):
    """Sets a new password by mail (OWASP Forgot Password). A reset does not log in, and ends every session.

    `ttl`: seconds until the link expires; `quiet`: seconds between two mails; `link`: a page of yours, with `{token}`.
    """

    needs: ClassVar[tuple[type, ...]] = (PasswordService,)
    needs_mail = True
    mails: ClassVar[tuple[str, ...]] = ("reset_password", LETTER)
    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (
        Page(name="forgot_password", endpoint="forgot_password", links=("login", "request_unlock")),
        Page(name="reset_password", endpoint="reset_password", links=("forgot_password", "login")),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(
            endpoint="forgot_password",
            page="forgot_password",
            also=("reset_password",),
            after="reset_password",
            said="mail_sent",
        ),
        Form(endpoint="reset_password", page="reset_password", after="login", said="password_changed"),
    )

    @checks_options
    def __init__(self, *, ttl: int = 900, quiet: int = 60, link: str | None = None) -> None:
        """Take the settings."""
        self.purpose: Purpose = Purpose(
            "reset_password", "/reset-password", ttl=ttl, quiet=quiet, link=link, error=InvalidResetTokenError
        )

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`, and make the service that `auth.users` uses."""
        super().attach(auth)
        self._service = ResetService(self.purpose, auth.one_time)

    @property
    def services(self) -> tuple[ResetService]:
        """The service that mails the resets of administrators."""
        return (self._service,)

    @post("/forgot-password", status=202, names="email", limits=MAIL_LIMITS)
    async def forgot_password(self, *, email: Email, request: Line = "", client: Client = Client()) -> Requested:
        """Mail a link to set a new password. The answer is the same for every address."""
        return await self.auth.one_time.request(self.purpose, email, client, request)

    @post(
        "/reset-password",
        status=204,
        limits=TOKEN_LIMITS,
        schema=TOKEN_OR_CODE,
        event=events.PASSWORD_CHANGE,
        errors=(InvalidResetTokenError, PasswordPolicyError, BusyError),
    )
    async def reset_password(
        self,
        *,
        token: TokenText = "",
        request: Line = "",
        code: Line = "",
        new_password: Secret,
        client: Client = Client(),
    ) -> None:
        """Set a new password by the mailed token, or by the code with its request. Every session ends."""
        passwords = self.auth[PasswordService]
        # A password that breaks the policy for every account uses no attempt.
        passwords.check(new_password, "new_password")
        found = await self.auth.one_time.find((self.purpose,), token, request, code)
        user = await self.auth.storage.user(found.user_id or NO_USER_ID)
        if user is None or user.status != "active":
            raise InvalidResetTokenError
        passwords.check(new_password, "new_password", user.email_canonical)
        await self._reset(found, user, await passwords.hasher.hash(new_password), client)

    async def ways_in(self, storage: Storage, user: User) -> Collection[str]:  # noqa: ARG002 (all users have it)
        """Name the mailed link, which every user can ask for."""
        return ("email",)

    async def _reset(self, token: OneTimeToken, user: User, secret: str, client: Client) -> None:
        """Replace the password, use the token and end the sessions, in one transaction."""
        now = int(self.auth.now())
        async with self.auth.storage.transaction() as storage:
            ended = [] if user.email_verified else await take_over(storage, user.id, now, keep=token.id)
            # The credential first, as in a change of the password: one order of locks prevents deadlocks.
            if not await self.auth[PasswordService].replace(storage, user.id, secret, used=token.id):
                raise InvalidResetTokenError
            await self.auth.one_time.owner(storage, token, InvalidResetTokenError, {"email_verified": True})
            ended += await storage.end_sessions(user.id, now)
        await self.auth.sessions.ended(user.id, ended, client)
        await self.auth.emit(events.PASSWORD_CHANGE, user_id=user.id, client=client, data={"reset": True})
