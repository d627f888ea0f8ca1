"""Who is asking: what the middleware puts into `scope["user"]` and `scope["auth"]`."""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal

from asgi_auth.errors import AuthError, ForbiddenError, FreshLoginRequiredError, UnauthorizedError
from asgi_auth.model.records import User
from asgi_auth.sessions.tokens import Claims

Transport = Literal["bearer", "cookie", ""]
Loader = Callable[[str], Awaitable[User | None]]
NO_CLAIMS = Claims("", "", "", "", "", 0, 0, 0, (), ())


class Identity:
    """A user as the access token tells, or nobody. Has the shape of Starlette's user and of its credentials.

    `error` says why nobody is known although a token was shown. Everything but `load` costs no query.
    """

    __slots__ = ("_claims", "_load", "_now", "_user", "claims", "error", "roles", "transport")

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
        """Take claims that were verified; without any it is nobody."""
        self._claims = claims
        self._load = load
        self._now = now
        self._user: User | None = None
        self.claims: Mapping[str, Any] = raw
        self.roles: tuple[str, ...] = roles
        self.transport = transport
        self.error: AuthError | None = error

    @property
    def is_authenticated(self) -> bool:
        """Whether somebody is logged in."""
        return self._claims is not NO_CLAIMS

    @property
    def id(self) -> str:
        """The user's id; empty for nobody."""
        return self._claims.sub

    @property
    def identity(self) -> str:
        """The user's id, by the name that Starlette has for it."""
        return self._claims.sub

    @property
    def display_name(self) -> str:
        """The user's id: tokens carry no personal data. `load` has the address."""
        return self._claims.sub

    @property
    def session_id(self) -> str:
        """The session of the token."""
        return self._claims.sid

    @property
    def scopes(self) -> list[str]:
        """`authenticated` and the roles, as Starlette's `requires` wants them."""
        return ["authenticated", *self.roles] if self.is_authenticated else []

    @property
    def amr(self) -> tuple[str, ...]:
        """How the user logged in: `pwd`, `otp`, `hwk`, `mfa` (RFC 8176)."""
        return self._claims.amr

    @property
    def auth_time(self) -> int:
        """When the user logged in, seconds since 1970."""
        return self._claims.auth_time

    @property
    def expires_at(self) -> int:
        """When the access token expires, seconds since 1970."""
        return self._claims.exp

    async def load(self) -> User:
        """Read the whole user: one query, once a request. Raises UnauthorizedError when there is none (any more)."""
        if self._user is None and self._load is not None:
            self._user = await self._load(self.id)
        if self._user is None:
            raise self.error or UnauthorizedError()
        return self._user

    def require(self, *, roles: str | tuple[str, ...] = (), fresh: timedelta | None = None) -> "Identity":
        """Return itself if it may go on; all of `roles` are wanted, and a login not older than `fresh`.

        Raises UnauthorizedError, ForbiddenError or FreshLoginRequiredError.
        """
        if not self.is_authenticated:
            raise self.error or UnauthorizedError()
        wanted = {roles} if isinstance(roles, str) else set(roles)
        if not wanted.issubset(self.roles):
            raise ForbiddenError
        if fresh is not None and (self._now is None or self._now() - self.auth_time > fresh.total_seconds()):
            raise FreshLoginRequiredError
        return self

    def __repr__(self) -> str:
        """Show the id, and no claims."""
        return f"<Identity {self.id or 'nobody'}>"


ANONYMOUS = Identity()
current: ContextVar[Identity] = ContextVar("asgi_auth_identity", default=ANONYMOUS)


def current_user() -> Identity:
    """Who is asking in the request that is being answered; nobody outside of one.

    Works in sync and async code, and where a host hides the scope.
    """
    return current.get()


def require(scope: Mapping[str, Any], *, roles: str | tuple[str, ...] = (), fresh: timedelta | None = None) -> Identity:
    """Return who is asking if they may go on: logged in, with all `roles`, and logged in not longer than `fresh` ago.

    Raises UnauthorizedError (401), ForbiddenError (403) or FreshLoginRequiredError (401); the middleware answers them
    when the host lets them through. Fails closed where the middleware is missing.
    """
    identity = scope.get("asgi_auth", ANONYMOUS)
    return identity.require(roles=roles, fresh=fresh) if isinstance(identity, Identity) else ANONYMOUS.require()
