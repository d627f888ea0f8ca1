"""Password reset: a mail with a link and a code for whoever forgot the password."""

from typing import ClassVar

from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.accounts.purpose import TOKEN_OR_CODE, Purpose
from asgi_auth.errors import BusyError, InvalidResetTokenError, PasswordPolicyError
from asgi_auth.feature import Feature, post
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import Requested
from asgi_auth.model.records import NO_USER_ID, Client, OneTimeToken, User
from asgi_auth.validation.fields import Email, Line, Secret, TokenText


class PasswordReset(Feature):
    """Sets a new password by mail (OWASP Forgot Password). It logs nobody in, and ends every session.

    `ttl`: seconds the link lives; `quiet`: seconds between two mails; `link`: a page of your own, with `{token}` in it.
    """

    needs: ClassVar[tuple[type, ...]] = (PasswordService,)
    needs_mail = True
    mails: ClassVar[tuple[str, ...]] = ("reset_password",)

    def __init__(self, *, ttl: int = 900, quiet: int = 60, link: str | None = None) -> None:
        """Take the settings."""
        self.purpose: Purpose = Purpose(
            "reset_password", "/reset-password", ttl=ttl, quiet=quiet, link=link, error=InvalidResetTokenError
        )

    @post("/forgot-password", status=202)
    async def forgot_password(self, *, email: Email, request: Line = "", client: Client = Client()) -> Requested:
        """Mail a link to set a new password; the answer is the same for every address."""
        return await self.auth.one_time.request(self.purpose, email, client, request)

    @post(
        "/reset-password",
        status=204,
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
        """Set a new password by the mailed token, or by the code with its request; every session ends."""
        passwords = self.auth[PasswordService]
        # What needs no account to be refused costs no attempt.
        passwords.check(new_password, "new_password")
        found = await self.auth.one_time.find((self.purpose,), token, request, code)
        user = await self.auth.storage.user(found.user_id or NO_USER_ID)
        if user is None or user.status != "active":
            raise InvalidResetTokenError
        passwords.check(new_password, "new_password", user.email_canonical)
        await self._reset(found, user, await passwords.hasher.hash(new_password), client)

    async def _reset(self, token: OneTimeToken, user: User, secret: str, client: Client) -> None:
        """Replace the password, use the token up and end the sessions: all of it or nothing."""
        now = int(self.auth.now())
        async with self.auth.storage.transaction() as storage:
            # The credential first, as a change of password does: the same order can't lock each other out.
            if not await self.auth[PasswordService].replace(storage, user.id, secret, used=token.id):
                raise InvalidResetTokenError
            await self.auth.one_time.owner(storage, token, InvalidResetTokenError, {"email_verified": True})
            ended = await storage.end_sessions(user.id, now)
        await self.auth.sessions.ended(user.id, ended, client)
        await self.auth.emit(events.PASSWORD_CHANGE, user_id=user.id, client=client, data={"reset": True})
