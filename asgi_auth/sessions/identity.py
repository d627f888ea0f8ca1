"""The identity of a request: the value of `scope["user"]` and `scope["auth"]`."""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal

from asgi_auth.errors import (
    AuthError,
    ForbiddenError,
    FreshLoginRequiredError,
    SecondFactorNeededError,
    UnauthorizedError,
)
from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.model.records import User
from asgi_auth.sessions.tokens import Claims

Transport = Literal["bearer", "cookie", "feature", ""]
Loader = Callable[[str], Awaitable[User | None]]
#: The kind of the identity of a session.
SESSION = "session"
#: The authentication method of a login with a second factor (RFC 8176).
MFA = "mfa"
NO_CLAIMS = Claims("", "", "", "", "", 0, 0, 0, (), (), 0, "")


class Identity:
    """The user of a verified access token, or an anonymous caller. Compatible with Starlette's user and credentials.

    It cannot be changed, and neither can its claims. Only `load` needs a query.
    """

    __slots__ = ("_claims", "_error", "_kind", "_load", "_now", "_raw", "_roles", "_transport", "_user")
    _kind: str

    def __init__(  # noqa: PLR0917 (names would cost a tenth of the hot path)
        self,
        claims: Claims = NO_CLAIMS,
        raw: Mapping[str, Any] = MappingProxyType({}),
        roles: tuple[str, ...] = (),
        transport: Transport = "",
        load: Loader | None = None,
        now: Callable[[], float] | None = None,
        *,
        error: AuthError | None = None,
    ) -> None:
        """Take verified claims; without claims the identity is anonymous."""
        self._claims = claims
        self._load = load
        self._now = now
        self._user: User | None = None
        self._raw = raw
        self._roles = roles
        self._transport: Transport = transport
        self._error = error

    @classmethod
    def of_credential(
        cls, kind: str, user: User, *, amr: tuple[str, ...] = (), expires_at: int = 0, actor: str | None = None
    ) -> "Identity":
        """Return the identity of a user that a feature has authenticated by a credential of a `kind` of its own.

        It has no session and is never a fresh login, and of the endpoints it can call those with `keys=True`. `actor`
        is the id of the user that acts for this one. Raises ValueError for a kind of the library.
        """
        if kind in {"", SESSION}:
            raise ValueError(f"{kind!r} is not a kind of a feature's credential")
        claims = Claims("", "", user.id, "", "", 0, expires_at, 0, amr, user.roles, 0, "")
        raw = {"sub": user.id} | ({"act": {"sub": actor}} if actor is not None else {})
        identity = cls(claims, MappingProxyType(raw), user.roles, "feature")
        identity._kind, identity._user = kind, user
        return identity

    def with_roles(self, roles: tuple[str, ...]) -> "Identity":
        """Return the same identity with other roles."""
        return Identity(self._claims, self._raw, roles, self._transport, self._load, self._now)

    @property
    def claims(self) -> Mapping[str, Any]:
        """All claims of the access token. They are shared by requests: to change one, copy it."""
        return self._raw

    @property
    def roles(self) -> tuple[str, ...]:
        """The current roles of the user."""
        return self._roles

    @property
    def transport(self) -> Transport:
        """How the credential was sent: `bearer`, `cookie`, as a `feature` reads it, or empty without one."""
        return self._transport

    @property
    def kind(self) -> str:
        """The kind of the credential: `session`, or what a feature names, such as `api_key`; empty if anonymous."""
        found: str | None = getattr(self, "_kind", None)
        return found or (SESSION if self._claims.sid else "")

    @property
    def actor(self) -> str | None:
        """The id of another user that acts for this one, such as an administrator (RFC 8693, 4.1); None without."""
        act = self._raw.get("act")
        return act.get("sub") if isinstance(act, Mapping) else None

    @property
    def error(self) -> AuthError | None:
        """The reason why presented credentials were rejected, or None."""
        return self._error

    @property
    def is_authenticated(self) -> bool:
        """Whether the caller is logged in."""
        return self._claims is not NO_CLAIMS

    @property
    def id(self) -> str:
        """The user's id; empty for an anonymous caller."""
        return self._claims.sub

    @property
    def identity(self) -> str:
        """The user's id, under the name that Starlette uses."""
        return self._claims.sub

    @property
    def display_name(self) -> str:
        """The id of the user: tokens contain no personal data. `load` returns the address."""
        return self._claims.sub

    @property
    def session_id(self) -> str:
        """The id of the session; empty for an anonymous caller."""
        return self._claims.sid

    @property
    def scopes(self) -> list[str]:
        """`authenticated` and the roles, as Starlette's `requires` expects them."""
        return ["authenticated", *self._roles] if self.is_authenticated else []

    @property
    def amr(self) -> tuple[str, ...]:
        """The authentication methods of the login: `pwd`, `otp`, `hwk`, `mfa` (RFC 8176)."""
        return self._claims.amr

    @property
    def auth_time(self) -> int:
        """The time of the login, in seconds since 1970."""
        return self._claims.auth_time

    @property
    def expires_at(self) -> int:
        """The time when the access token expires, in seconds since 1970."""
        return self._claims.exp

    async def load(self) -> User:
        """Read the user from the storage, once per identity. Raises UnauthorizedError when the user does not exist."""
        if self._user is None and self._load is not None:
            self._user = await self._load(self.id)
        if self._user is None:
            raise self._error or UnauthorizedError()
        return self._user

    def require(
        self, *, roles: str | tuple[str, ...] = (), fresh: timedelta | None = None, second_factor: bool = False
    ) -> "Identity":
        """Return the identity if it has all `roles`, a login that is not older than `fresh`, and a `second_factor`.

        Raises UnauthorizedError, ForbiddenError, FreshLoginRequiredError or SecondFactorNeededError.
        """
        if not self.is_authenticated:
            raise self._error or UnauthorizedError()
        required = {roles} if isinstance(roles, str) else set(roles)
        if not required.issubset(self._roles):
            raise ForbiddenError
        if fresh is not None and (
            self._now is None or not -MAX_SKEW <= self._now() - self.auth_time <= fresh.total_seconds()
        ):
            raise FreshLoginRequiredError
        if second_factor and MFA not in self.amr:
            raise SecondFactorNeededError
        return self

    def __repr__(self) -> str:
        """Show the id, and no claims."""
        return f"<Identity {self.id or 'anonymous'}>"


ANONYMOUS = Identity()
current: ContextVar[Identity] = ContextVar("asgi_auth_identity", default=ANONYMOUS)


def current_user() -> Identity:
    """Return the identity of the current request; anonymous outside of a request.

    Works in sync and async code, and where a host hides the scope. Threads and workers of a host are outside of the
    request: see `acting_as` and `identity_of`.
    """
    return current.get()


def require(
    scope: Mapping[str, Any],
    *,
    roles: str | tuple[str, ...] = (),
    fresh: timedelta | None = None,
    second_factor: bool = False,
) -> Identity:
    """Return the identity of a request if it has all `roles`, a login not older than `fresh`, and a `second_factor`.

    Raises UnauthorizedError (401), ForbiddenError (403), FreshLoginRequiredError (401) or SecondFactorNeededError
    (403); the middleware answers them unless the host handles them. Raises UnauthorizedError when the middleware is
    missing.
    """
    identity = scope.get("asgi_auth", ANONYMOUS)
    found = identity if isinstance(identity, Identity) else ANONYMOUS
    return found.require(roles=roles, fresh=fresh, second_factor=second_factor)
