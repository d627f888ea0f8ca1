"""The identity of a request: the value of `scope["user"]` and `scope["auth"]`."""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal

from asgi_auth.errors import AuthError, ForbiddenError, FreshLoginRequiredError, UnauthorizedError
from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.model.records import User
from asgi_auth.sessions.tokens import Claims

Transport = Literal["bearer", "cookie", ""]
Loader = Callable[[str], Awaitable[User | None]]
NO_CLAIMS = Claims("", "", "", "", "", 0, 0, 0, (), (), 0, "")


class Identity:
    """The user of a verified access token, or an anonymous caller. Compatible with Starlette's user and credentials.

    It cannot be changed, and neither can its claims. Only `load` needs a query.
    """

    __slots__ = ("_claims", "_error", "_load", "_now", "_raw", "_roles", "_transport", "_user")

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
        """How the access token was sent: `bearer`, `cookie`, or empty without one."""
        return self._transport

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

    def require(self, *, roles: str | tuple[str, ...] = (), fresh: timedelta | None = None) -> "Identity":
        """Return the identity if it has all `roles`, and a login that is not older than `fresh`.

        Raises UnauthorizedError, ForbiddenError or FreshLoginRequiredError.
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


def require(scope: Mapping[str, Any], *, roles: str | tuple[str, ...] = (), fresh: timedelta | None = None) -> Identity:
    """Return the identity of a request if it has all `roles`, and a login that is not older than `fresh`.

    Raises UnauthorizedError (401), ForbiddenError (403) or FreshLoginRequiredError (401); the middleware answers them
    unless the host handles them. Raises UnauthorizedError when the middleware is missing.
    """
    identity = scope.get("asgi_auth", ANONYMOUS)
    return identity.require(roles=roles, fresh=fresh) if isinstance(identity, Identity) else ANONYMOUS.require()
