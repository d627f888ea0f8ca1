"""Email verification: a mail at registration, and the link or the code in it."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar

from asgi_auth.accounts.asked_mail import AskedMails
from asgi_auth.accounts.ownership_proof import OWN, REFUSALS
from asgi_auth.accounts.passwords import KIND, PasswordService
from asgi_auth.accounts.purpose import MAIL_LIMITS, TOKEN_LIMITS, TOKEN_OR_CODE, Purpose
from asgi_auth.accounts.registration import Pending, RegistrationService
from asgi_auth.auth import Auth
from asgi_auth.errors import AlreadyVerifiedError, AuthError, EmailNotVerifiedError, InvalidVerificationTokenError
from asgi_auth.feature import (
    REFUSED_TOKENS,
    Answer,
    Client,
    Email,
    Endpoint,
    Feature,
    Form,
    Identity,
    Line,
    LoginAttempt,
    OneTimeToken,
    Page,
    Requested,
    Secret,
    TokenPair,
    TokenText,
    User,
    post,
)
from asgi_auth.feature.call import TRANSPORT, running
from asgi_auth.model import event_types as events
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.email_address import parse_email

DAY = 86400


class Verified(Answer, frozen=True, kw_only=True):
    """The answer to a verification that logs a browser in: no body; its tokens are set as cookies."""

    has_body: ClassVar[bool] = False
    tokens: TokenPair

    def body(self) -> None:
        """Return no body."""
        return

    def token_pair(self) -> TokenPair:
        """Return the tokens of the login."""
        return self.tokens


class EmailVerification(Feature):
    """Shows that an address belongs to its user.

    With `enumeration="hide"` (the default) a registration only sends a mail, and its link or code creates the account.
    A known address gets the same answer, and its owner a notice. With `"tell"` the account is created at once, and
    `settings.verification` decides whether a verification mail is sent and whether a login requires the verification.
    With `"hide"`, `"required"` and `"optional"` differ only for accounts that were created without a mail.
    `ttl`: seconds until the link expires; `quiet`: seconds between two mails; `link`: a page of yours, with `{token}`.
    """

    needs_mail = True
    mails: ClassVar[tuple[str, ...]] = ("verify_email", "register", "already_registered")
    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (Page(name="verify_email", endpoint="verify_email", links=("login",)),)
    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="verify_email", page="verify_email", after="account", said="email_verified"),
        Form(endpoint="resend_verification", page="verify_email", after="verify_email", said="mail_sent"),
    )

    @checks_options
    def __init__(self, *, ttl: int = DAY, quiet: int = 60, link: str | None = None) -> None:
        """Take the settings."""
        shared: dict[str, Any] = {
            "path": "/verify-email",
            "ttl": ttl,
            "link": link,
            "error": InvalidVerificationTokenError,
        }
        # No cooldown: each registration has its own password, so the mail of another one does not complete it.
        self.registration: Purpose = Purpose("register", quiet=0, registers=True, **shared)
        self.verification: Purpose = Purpose("verify_email", quiet=quiet, **shared)

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`, and make the service that other features use."""
        super().attach(auth)
        self._asked = AskedMails(auth.keys, auth.now)
        self.registrations: RegistrationService = RegistrationService(
            self.registration, self.verification, auth.one_time, auth.storage, auth.stream, auth.now, auth.users.add
        )

    @property
    def services(self) -> tuple[RegistrationService]:
        """The registration service."""
        return (self.registrations,)

    async def before_login(self, login: LoginAttempt) -> None:
        """Refuse a user whose address is not verified, if that is required."""
        if self.auth.settings.verification == "required" and not login.user.email_verified:
            raise EmailNotVerifiedError

    def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:
        """Name the refusal of logins."""
        required = self.auth.settings.verification == "required"
        return (EmailNotVerifiedError,) if required and endpoint.logs_in else ()

    @post(
        "/verify-email",
        status=204,
        logs_in=True,
        limits=TOKEN_LIMITS,
        schema=TOKEN_OR_CODE,
        # Without the password, the session of another user who acts proves nothing.
        acting="always",
        errors=(InvalidVerificationTokenError, *REFUSALS),
    )
    async def verify_email(
        self,
        *,
        token: TokenText = "",
        request: Line = "",
        code: Line = "",
        password: Secret = "",
        identity: Identity | None = None,
        client: Client = Client(),
    ) -> Verified | None:
        """Verify an address by the mailed token, logged in or with the password, or by the code with its request.

        A browser that has registered by a page, and brings the code, is logged in: its cookies are set.
        """
        signs_in = not token and self._signs_in(request, identity, client)
        found = await self.auth.one_time.find((self.verification, self.registration), token, request, code)
        pending = Pending.of(found)
        await self.auth.ownership.require(
            found,
            InvalidVerificationTokenError,
            self.auth.get(PasswordService),
            by_link=bool(token),
            password=password,
            identity=identity,
            client=client,
            secret=pending.secret if pending else None,
        )
        if pending is not None:
            user = await self.registrations.complete(found, pending, client)
        else:
            user = await self._verify(found, identity, client)
        if not signs_in or not found.data.get(OWN):
            return None
        return await self._sign_in(user, pending, client)

    def _signs_in(self, request: str, identity: Identity | None, client: Client) -> bool:
        """Tell whether the code comes from the browser that has registered: by the cookie of that registration.

        A link never logs in, as its reader may have been sent it by another person; and neither does a code with the
        request of another browser, which would log a visitor in to an account that is not theirs (login CSRF).
        """
        if not request or (identity is not None and identity.is_authenticated):
            return False
        if (running.get() or {}).get(TRANSPORT) != "cookie":
            return False
        asked = self._asked.find(client.cookies, request)
        return asked is not None and asked.registers

    async def _sign_in(self, user: User, pending: Pending | None, client: Client) -> Verified | None:
        """Start a session through the gate of all logins; None where it refuses: the user logs in by the login page.

        The session has the methods of the registration, which the same browser has shown.
        """
        kind, amr = (pending.credential.kind, pending.amr) if pending is not None else (KIND, ())
        credential = await self.auth.storage.credential(user.id, kind)
        if credential is None or (kind == KIND and not credential.secret):
            return None
        try:
            return Verified(tokens=await self.auth.login(user, credential, amr=("email", *amr), client=client))
        except AuthError:
            return None

    @post("/resend-verification", status=202, limits=MAIL_LIMITS, errors=(*REFUSED_TOKENS, AlreadyVerifiedError))
    async def resend_verification(
        self, *, email: Email = "", request: Line = "", identity: Identity | None = None, client: Client = Client()
    ) -> Requested:
        """Mail the link again. The answer is the same for every address. Logged-in callers may omit `email`."""
        if not email and identity is not None:
            user = await identity.require().load()
            if user.email_verified:
                raise AlreadyVerifiedError
            return await self.registrations.send_verification(user, client, earlier=request)
        user_id = identity.id if identity is not None else ""
        return await self.registrations.resend(parse_email(email).canonical, request, user_id, client)

    async def _verify(self, token: OneTimeToken, identity: Identity | None, client: Client) -> User:
        """Mark the address; end earlier sessions and void earlier tokens: they may be a stranger's."""
        keep = identity.session_id if identity is not None and identity.id == token.user_id else None
        error, verified = InvalidVerificationTokenError, {"email_verified": True}
        async with self.auth.storage.transaction() as storage:
            user = await self.auth.one_time.redeem(storage, token, error, verified, void=True)
            await self.registrations.void(storage, user.email_canonical)
            ended = await storage.end_sessions(user.id, int(self.auth.now()), keep=keep)
        await self.auth.sessions.ended(user.id, ended, client)
        await self.auth.emit(events.EMAIL_VERIFY, user_id=user.id, client=client)
        return user
