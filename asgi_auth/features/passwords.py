"""Passwords: register, log in, change the password, and the OAuth 2 token endpoint over both."""

from collections.abc import Mapping
from typing import Any

import msgspec

from asgi_auth.accounts.one_time_tokens import Requested
from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.errors import (
    BadRequestError,
    BusyError,
    InvalidCredentialsError,
    PasswordPolicyError,
    TokenReuseError,
    UserExistsError,
)
from asgi_auth.feature import REFUSED_TOKENS, post
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client, Record, TokenPair, User, UserInfo, new_id
from asgi_auth.sessions.identity import Identity
from asgi_auth.validation.email_address import Address, parse_email
from asgi_auth.validation.fields import Email, Line, Secret
from asgi_auth.validation.password_policy import PasswordPolicy


class Registration(Record, frozen=True, kw_only=True):
    """What a registration gives: the account, tokens when it logs in as well, what goes with a code that was mailed."""

    user: UserInfo
    tokens: TokenPair | msgspec.UnsetType = msgspec.UNSET
    verification: Requested | msgspec.UnsetType = msgspec.UNSET


#: What the grant types need (RFC 6749, 4.3.2 and 6).
GRANTS: Mapping[str, Any] = {
    "oneOf": [
        {
            "properties": {
                "grant_type": {"const": "password"},
                "username": {"minLength": 1},
                "password": {"minLength": 1},
            },
            "required": ["username", "password"],
        },
        {
            "properties": {"grant_type": {"const": "refresh_token"}, "refresh_token": {"minLength": 1}},
            "required": ["refresh_token"],
        },
    ]
}


class UnsupportedGrantTypeError(BadRequestError):
    """The token endpoint knows `password` and `refresh_token` (RFC 6749, section 5.2)."""

    code = "unsupported_grant_type"
    default_detail = "The grant type is password or refresh_token."
    oauth2 = "unsupported_grant_type"


class Passwords(PasswordService):
    """Accounts with email address and password.

    Settings: `policy` for new passwords; `argon2`, their cost; `workers` threads hash them, and when `queue` more
    wait, the answer is 503; `niceness`, their nice value; `login_after_register` gives tokens with the registration.
    """

    def __init__(
        self,
        *,
        policy: PasswordPolicy | None = None,
        argon2: Argon2 | None = None,
        workers: int | None = None,
        queue: int | None = None,
        niceness: int = 10,
        login_after_register: bool = False,
    ) -> None:
        """Take the settings."""
        super().__init__(policy or PasswordPolicy(), argon2 or Argon2(), workers, queue, niceness)
        self.login_after_register = login_after_register

    @post(
        "/register",
        status=201,
        logs_in=True,
        event=events.REGISTER,
        errors=(UserExistsError, PasswordPolicyError, BusyError),
    )
    async def register(
        self, *, email: Email, password: Secret, client: Client = Client(), **data: object
    ) -> Registration | Requested:
        """Make an account: a mail finishes it (202), be the address known or not; without mail at once (201)."""
        address = parse_email(email)
        self.check(password, "password", address.canonical)
        secret = await self.hasher.hash(password)
        user = self._new_user(address, data)
        credential = self.credential(user.id, secret)
        if self.auth.conceals:
            return await self.auth[RegistrationService].start(user, credential, client)
        if not await self.auth.storage.add_user(user, credential):
            raise UserExistsError
        await self.auth.emit(events.REGISTER, user_id=user.id, client=client)
        registration = self.auth.get(RegistrationService)
        answer = Registration(user=UserInfo.of(user))
        if registration is not None and self.auth.settings.verification != "off":
            answer = msgspec.structs.replace(answer, verification=await registration.send_verification(user, client))
        if self.login_after_register and self.auth.settings.verification != "required":
            tokens = await self.auth.login(user, credential, amr=("pwd",), client=client)
            answer = msgspec.structs.replace(answer, tokens=tokens)
        return answer

    @post("/login", logs_in=True, takes_password=True, event=events.LOGIN, errors=(BusyError,))
    async def login(self, *, email: Email, password: Secret, client: Client = Client()) -> TokenPair:
        """Log in; an unknown address takes as long to refuse as a wrong password."""
        return await self._login(email, password, client)

    @post(
        "/token",
        oauth2=True,
        logs_in=True,
        takes_password=True,
        schema=GRANTS,
        event=events.LOGIN,
        errors=(UnsupportedGrantTypeError, *REFUSED_TOKENS, TokenReuseError, BusyError),
    )
    async def token(
        self,
        *,
        grant_type: Line,
        username: Line = "",
        password: Line = "",
        refresh_token: Line = "",
        client: Client = Client(),
    ) -> TokenPair:
        """Get tokens in the form of OAuth 2: `grant_type=password` or `refresh_token`."""
        if grant_type == "password" and username and password:
            return await self._login(username, password, client)
        if grant_type == "refresh_token" and refresh_token:
            return await self.auth.refresh(refresh_token, client)
        if grant_type in {"password", "refresh_token"}:
            raise BadRequestError("A parameter of this grant type is missing.")
        raise UnsupportedGrantTypeError

    @post(
        "/change-password",
        status=204,
        takes_password=True,
        event=events.PASSWORD_CHANGE,
        errors=(InvalidCredentialsError, PasswordPolicyError, BusyError),
    )
    async def change_password(
        self, *, current_password: Secret, new_password: Secret, identity: Identity, client: Client = Client()
    ) -> None:
        """Change the own password, which ends all other sessions."""
        user, credential = await self.reauthenticate(identity, current_password, client)
        self.check(new_password, "new_password", user.email_canonical, current_password)
        secret = await self.hasher.hash(new_password)
        keep, now = identity.session_id, int(self.auth.now())
        async with self.auth.storage.transaction() as storage:
            if not await self.replace(storage, user.id, secret, version=credential.version):
                raise InvalidCredentialsError("The password was changed a moment ago.")
            ended = await storage.end_sessions(user.id, now, keep=keep)
        await self.auth.ended(user.id, ended, client)
        await self.auth.emit(events.PASSWORD_CHANGE, user_id=user.id, session_id=keep, client=client)

    async def _login(self, email: str, password: str, client: Client) -> TokenPair:
        user, credential = await self.verify_by_email(email, password, client)
        if user is None or credential is None:
            raise InvalidCredentialsError().about(user.id if user else None)
        return await self.auth.login(user, credential, amr=("pwd",), client=client)

    def _new_user(self, address: Address, data: dict[str, object]) -> User:
        now = self.auth.now()
        fields = {item.name: item.default for item in self.auth.settings.fields}
        return User(
            id=new_id(now),
            email=address.display,
            email_canonical=address.canonical,
            data=fields | data,
            created_at=int(now),
            updated_at=int(now),
        )
