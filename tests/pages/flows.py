"""Stand-ins for the features that send mails: endpoints of the same names and fields, with state in memory."""

import secrets
from dataclasses import dataclass
from typing import Any

from asgi_auth import Passwords
from asgi_auth.emails import parse_email
from asgi_auth.errors import InvalidCredentialsError, InvalidTokenError
from asgi_auth.feature import Feature, get, patch, post
from asgi_auth.fields import Email, Line, Secret, Token
from asgi_auth.identity import Identity
from asgi_auth.records import Client, Credential, Record, TokenPair, User, UserInfo

KIND = "password"


class Sent(Record, frozen=True, kw_only=True):
    """A mail is on its way."""

    request: str
    expires_in: int = 900


@dataclass
class Ticket:
    """What a mail carries, and what it is good for."""

    purpose: str
    email: str
    token: str
    request: str
    code: str
    user_id: str = ""


class Flows(Feature):
    """Mail flows, extra fields, export and the end of an account."""

    def __init__(self) -> None:
        self.mails: list[Ticket] = []
        self.open: list[Ticket] = []

    @get("/outbox")
    async def outbox(self) -> list[dict[str, Any]]:
        """Show the mails, to tests."""
        return [vars(mail) for mail in self.mails]

    @post("/verify-email")
    async def verify_email(self, *, token: Token = "", request: Line = "", code: Line = "") -> UserInfo:
        """Confirm an address."""
        ticket = self._redeem("verify", token, request, code)
        user = await self._user(ticket.email)
        return UserInfo.of(await self._update(user, email_verified=True))

    @post("/resend-verification", status=202)
    async def resend_verification(self, *, email: Email = "") -> Sent:
        """Send the mail again."""
        return self.send("verify", email)

    @post("/forgot-password", status=202)
    async def forgot_password(self, *, email: Email) -> Sent:
        """Send a link to choose a new password."""
        return self.send("reset", email)

    @post("/reset-password", status=204)
    async def reset_password(
        self, *, token: Token = "", request: Line = "", code: Line = "", new_password: Secret
    ) -> None:
        """Choose a new password."""
        self._passwords.policy.check(new_password, field="new_password")
        ticket = self._redeem("reset", token, request, code)
        credential = await self._credential(await self._user(ticket.email))
        secret = await self._passwords.hasher.hash(new_password)
        await self.auth.storage.replace_secret(credential, secret, int(self.auth.now()))

    @post("/magic-link", status=202)
    async def magic_link(self, *, email: Email) -> Sent:
        """Send a link that logs in."""
        return self.send("magic", email)

    @post("/magic-link/login")
    async def magic_link_login(
        self, *, token: Token = "", request: Line = "", code: Line = "", client: Client = Client()
    ) -> TokenPair:
        """Log in by a mail."""
        user = await self._user(self._redeem("magic", token, request, code).email)
        return await self.auth.login(user, await self._credential(user), amr=("otp",), client=client)

    @patch("/me")
    async def update_me(self, *, identity: Identity, **data: object) -> UserInfo:
        """Change the extra fields."""
        user = await identity.load()
        return UserInfo.of(await self._update(user, data={**user.data, **data}))

    @post("/change-email", status=202)
    async def change_email(self, *, new_email: Email, password: Secret, identity: Identity) -> Sent:
        """Ask for another address."""
        parse_email(new_email, "new_email")
        await self._confirm(identity, password)
        return self.send("change", new_email, identity.id)

    @post("/confirm-email-change")
    async def confirm_email_change(self, *, token: Token = "", request: Line = "", code: Line = "") -> UserInfo:
        """Take the new address."""
        ticket = self._redeem("change", token, request, code)
        address = parse_email(ticket.email)
        user = await self.auth.users.get(ticket.user_id)
        return UserInfo.of(await self._update(user, email=address.display, email_canonical=address.canonical))

    @get("/me/export")
    async def export(self, *, identity: Identity) -> UserInfo:
        """Give everything that is kept."""
        return UserInfo.of(await identity.load())

    @post("/close-account", status=204, ends_session=True)
    async def close_account(self, *, password: Secret, identity: Identity) -> None:
        """Close the account."""
        await self._confirm(identity, password)
        await self.auth.users.set_status(identity.id, "closed")

    def send(self, purpose: str, email: str, user_id: str = "") -> Sent:
        """Write a mail."""
        code = f"{secrets.randbelow(10**6):06}"
        ticket = Ticket(purpose, email, secrets.token_urlsafe(16), secrets.token_urlsafe(8), code, user_id)
        self.mails.append(ticket)
        self.open.append(ticket)
        return Sent(request=ticket.request)

    def _redeem(self, purpose: str, token: str, request: str, code: str) -> Ticket:
        for ticket in self.open:
            by_code = bool(request) and (ticket.request, ticket.code) == (request, code)
            if ticket.purpose == purpose and (ticket.token == token or by_code):
                self.open.remove(ticket)
                return ticket
        raise InvalidTokenError

    @property
    def _passwords(self) -> Passwords:
        return next(feature for feature in self.auth.features if isinstance(feature, Passwords))

    async def _confirm(self, identity: Identity, password: str) -> None:
        credential = await self._credential(await identity.load())
        if not await self._passwords.hasher.verify(credential.secret, password):
            raise InvalidCredentialsError

    async def _credential(self, user: User) -> Credential:
        credential = await self.auth.storage.credential(user.id, KIND)
        assert credential is not None
        return credential

    async def _user(self, email: str) -> User:
        return await self.auth.users.by_email(email)

    async def _update(self, user: User, **changes: Any) -> User:
        updated = await self.auth.storage.update_user(user.id, changes, int(self.auth.now()))
        assert updated is not None
        return updated


class Concealing(Passwords):
    """Passwords whose registration is finished by a mail."""

    @post("/register", status=202)
    async def register(  # type: ignore[override]  # another answer on purpose
        self, *, email: Email, password: Secret, client: Client = Client(), **data: object
    ) -> Sent:
        """Make an account, and tell nobody whether there was one."""
        await super().register(email=email, password=password, client=client, **data)
        flows = next(feature for feature in self.auth.features if isinstance(feature, Flows))
        return flows.send("verify", email)
