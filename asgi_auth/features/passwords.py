"""Passwords: register, log in, change the password, and the OAuth 2 token endpoint over both."""

import msgspec

from asgi_auth import events
from asgi_auth.emails import canonical_or_none, parse_email
from asgi_auth.errors import BadRequestError, InvalidCredentialsError, PasswordPolicyError, UserExistsError
from asgi_auth.feature import Feature, post
from asgi_auth.fields import Email, Line, Secret
from asgi_auth.hashing import Argon2, PasswordHasher
from asgi_auth.identity import Identity
from asgi_auth.password_policy import PasswordPolicy
from asgi_auth.reasons import Reason
from asgi_auth.records import Client, Credential, Record, TokenPair, User, UserInfo, new_id

KIND = "password"
NOBODY = "00000000-0000-0000-0000-000000000000"


class Registration(Record, frozen=True, kw_only=True):
    """What a registration gives: the account, and tokens when it logs in as well."""

    user: UserInfo
    tokens: TokenPair | msgspec.UnsetType = msgspec.UNSET


class UnsupportedGrantTypeError(BadRequestError):
    """The token endpoint knows `password` and `refresh_token` (RFC 6749, section 5.2)."""

    code = "unsupported_grant_type"
    default_detail = "The grant type is password or refresh_token."
    oauth2 = "unsupported_grant_type"


class Passwords(Feature):
    """Accounts with email address and password.

    Settings: `policy` for new passwords; `argon2`, their cost; `workers` threads hash them, and when `queue` more
    wait, the answer is 503; `login_after_register` gives tokens with the registration.
    """

    def __init__(
        self,
        *,
        policy: PasswordPolicy | None = None,
        argon2: Argon2 | None = None,
        workers: int | None = None,
        queue: int | None = None,
        login_after_register: bool = False,
    ) -> None:
        """Take the settings."""
        self.policy = policy or PasswordPolicy()
        self.hasher = PasswordHasher(argon2 or Argon2(), workers, queue)
        self.login_after_register = login_after_register

    @post("/register", status=201)
    async def register(
        self, *, email: Email, password: Secret, client: Client = Client(), **data: object
    ) -> Registration:
        """Make an account; a known address is a 409."""
        address = parse_email(email)
        self._check(password, "password", address.canonical)
        now = int(self.auth.now())
        fields = {item.name: item.default for item in self.auth.settings.fields}
        user = User(
            id=new_id(self.auth.now()),
            email=address.display,
            email_canonical=address.canonical,
            data=fields | data,
            created_at=now,
            updated_at=now,
        )
        credential = Credential(
            id=new_id(self.auth.now()),
            user_id=user.id,
            kind=KIND,
            identifier=user.id,
            secret=await self.hasher.hash(password),
            created_at=now,
            updated_at=now,
        )
        if not await self.auth.storage.add_user(user, credential):
            raise UserExistsError
        await self.auth.emit(events.USER_REGISTERED, user_id=user.id, client=client)
        if not self.login_after_register:
            return Registration(user=UserInfo.of(user))
        tokens = await self.auth.login(user, credential, amr=("pwd",), client=client)
        return Registration(user=UserInfo.of(user), tokens=tokens)

    @post("/login")
    async def login(self, *, email: Email, password: Secret, client: Client = Client()) -> TokenPair:
        """Log in; an unknown address takes as long to refuse as a wrong password."""
        return await self._login(email, password, client)

    @post("/token", oauth2=True)
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

    @post("/change-password", status=204)
    async def change_password(
        self, *, current_password: Secret, new_password: Secret, identity: Identity, client: Client = Client()
    ) -> None:
        """Change the own password, which ends all other sessions."""
        user = await identity.load()
        credential = await self._verified(user, current_password, client)
        if credential is None:
            raise InvalidCredentialsError("The current password is wrong.")
        self._check(new_password, "new_password", user.email_canonical, current_password)
        await self._set_password(credential, new_password, identity.session_id, client)

    async def _login(self, email: str, password: str, client: Client) -> TokenPair:
        canonical = canonical_or_none(email)
        user = await self.auth.storage.user_by_email(canonical or "")
        credential = await self._verified(user, password, client)
        if user is None or credential is None:
            raise InvalidCredentialsError
        return await self.auth.login(user, credential, amr=("pwd",), client=client)

    async def _verified(self, user: User | None, password: str, client: Client) -> Credential | None:
        """Return the credential that the password fits, with a hash of today's cost; the same work for nobody."""
        credential = await self.auth.storage.credential(user.id if user else NOBODY, KIND)
        fits = await self.hasher.verify(credential.secret if credential else None, password)
        if credential is None or not fits:
            await self.auth.emit(events.LOGIN_FAILED, user_id=user.id if user else None, client=client)
            return None
        if self.hasher.is_outdated(credential.secret):
            secret = await self.hasher.hash(password)
            renewed = await self.auth.storage.replace_secret(credential, secret, int(self.auth.now()))
            # Somebody was faster: a login that did the same, or one who has changed the password.
            return renewed or await self._verified(user, password, client)
        return credential

    async def _set_password(self, credential: Credential, password: str, keep: str, client: Client) -> None:
        """Replace the secret and end the other sessions, both or neither."""
        secret = await self.hasher.hash(password)
        now = int(self.auth.now())
        async with self.auth.storage.transaction() as storage:
            if await storage.replace_secret(credential, secret, now) is None:
                raise InvalidCredentialsError("The password was changed a moment ago.")
            ended = await storage.end_sessions(credential.user_id, now, keep=keep)
        await self.auth.ended(credential.user_id, ended, client)
        await self.auth.emit(events.PASSWORD_CHANGED, user_id=credential.user_id, session_id=keep, client=client)

    def _check(self, password: str, field: str, email: str, old: str | None = None) -> None:
        if password == old:
            raise PasswordPolicyError({field: [Reason("same")]})
        self.policy.check(password, field=field, user_words=(email, email.partition("@")[0]))
