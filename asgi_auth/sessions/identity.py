"""The identity of a request: the value of `scope["user"]` and `scope["auth"]`."""

from collections.abc import Collection, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Literal, Unpack

import msgspec

from asgi_auth.errors import AuthError, UnauthorizedError
from asgi_auth.model.records import User
from asgi_auth.model.revocations import Access
from asgi_auth.process.threads import in_loop
from asgi_auth.sessions.demand import Demand, Demands
from asgi_auth.sessions.meeting import CLIENT, MFA, SESSION, check
from asgi_auth.sessions.source import UNDECLARED, Source
from asgi_auth.sessions.tokens import Claims
from asgi_auth.validation.permissions import AUTHENTICATED

__all__ = ["CLIENT", "MFA", "SESSION"]
Transport = Literal["bearer", "cookie", "feature", ""]
NO_CLAIMS = Claims("", "", "", "", "", 0, 0, 0, (), (), 0, "")
NO_PERMISSIONS: frozenset[str] = frozenset()


class Identity:
    """The user of a verified access token, or an anonymous caller. Compatible with Starlette's user and credentials.

    It cannot be changed, and neither can its claims. Only `load` needs a query.
    """

    __slots__ = (
        "_claims",
        "_error",
        "_kind",
        "_limit",
        "_outranks",
        "_raw",
        "_roles",
        "_scopes",
        "_source",
        "_transport",
        "_user",
    )
    _kind: str
    _limit: frozenset[str]
    _outranks: bool
    _scopes: tuple[str, ...]

    def __init__(
        self,
        claims: Claims = NO_CLAIMS,
        raw: Mapping[str, Any] = MappingProxyType({}),
        roles: tuple[str, ...] = (),
        transport: Transport = "",
        source: Source | None = None,
        *,
        error: AuthError | None = None,
    ) -> None:
        """Take verified claims; without claims the identity is anonymous."""
        self._claims = claims
        self._source = source
        self._user: User | None = None
        self._raw = raw
        self._roles = roles
        self._transport: Transport = transport
        self._error = error

    @classmethod
    def of_credential(
        cls,
        kind: str,
        user: User,
        *,
        amr: tuple[str, ...] = (),
        expires_at: int = 0,
        actor: str | None = None,
        permissions: Collection[str] = (),
    ) -> "Identity":
        """Return the identity of a user that a feature has authenticated by a credential of a `kind` of its own.

        It has no session and is never a fresh login, and of the endpoints it can call those with `keys=True`. `actor`
        is the id of the user that acts for this one. It has the roles of `user`, and only the `permissions` that the
        feature gives it: those of the user are `auth.permissions.of(user.roles)`. Raises ValueError for a kind of the
        library.
        """
        if kind in {"", SESSION, CLIENT}:
            raise ValueError(f"{kind!r} is not a kind of a feature's credential")
        claims = Claims("", "", user.id, "", "", 0, expires_at, 0, amr, user.roles, 0, "")
        raw = {"sub": user.id} | ({"act": {"sub": actor}} if actor is not None else {})
        identity = cls(claims, MappingProxyType(raw), user.roles, "feature")
        identity._kind, identity._user, identity._limit = kind, user, frozenset(permissions)
        return identity

    @classmethod
    def of_client(
        cls, claims: Claims, raw: Mapping[str, Any], roles: tuple[str, ...] | None, source: Source | None
    ) -> "Identity":
        """Return the identity of a client: no roles, and of the permissions only those that `roles`, if given, give."""
        identity = cls(claims, raw, (), "bearer", source)
        identity._kind = CLIENT
        scopes = tuple(str(raw.get("scope", "")).split())
        identity._scopes = scopes if source is None or roles is None else source.permissions.limited(scopes, roles)
        return identity

    def with_roles(self, roles: tuple[str, ...]) -> "Identity":
        """Return the same identity with other roles."""
        return self._copy(roles, getattr(self, "_limit", None))

    def as_of(self, access: Access) -> "Identity":
        """Return the same identity with the roles of its user, and without methods that its session has lost."""
        if self.client is None:
            current = self.with_roles(access.roles)
        else:
            current = Identity.of_client(self._claims, self._raw, access.roles, self._source)
        if not set(self.amr) <= set(access.amr):
            amr = tuple(method for method in self.amr if method in access.amr)
            current._claims = msgspec.structs.replace(self._claims, amr=amr)  # noqa: SLF001 (a copy of self)
            current._raw = MappingProxyType({**self._raw, "amr": amr})  # noqa: SLF001 (a copy of self)
        return current

    def limited_to(self, permissions: Collection[str]) -> "Identity":
        """Return the same identity with no permissions but these, of those that it has, whatever its roles give."""
        return self._copy(self._roles, self.permissions.intersection(permissions))

    def limited_by_actor(self, permitted: frozenset[str], roles: tuple[str, ...], *, outranks: bool) -> "Identity":
        """Return the same identity with no permissions but those of its actor, and no roles but these."""
        copied = self._copy(roles, self.permissions & permitted)
        copied._outranks = outranks  # noqa: SLF001 (a copy of self)
        return copied

    def _copy(self, roles: tuple[str, ...], limit: frozenset[str] | None) -> "Identity":
        copied = Identity(self._claims, self._raw, roles, self._transport, self._source, error=self._error)
        copied._user = self._user
        if limit is not None:
            copied._limit = limit
        for name in ("_kind", "_scopes"):
            if hasattr(self, name):
                setattr(copied, name, getattr(self, name))
        return copied

    @property
    def claims(self) -> Mapping[str, Any]:
        """All claims of the access token. They are shared by requests: to change one, copy it."""
        return self._raw

    @property
    def roles(self) -> tuple[str, ...]:
        """The current roles of the user."""
        return self._roles

    @property
    def permissions(self) -> frozenset[str]:
        """What the current roles permit, by the setting `permissions`. No claim of a token adds to it."""
        limit: frozenset[str] | None = getattr(self, "_limit", None)
        if self._source is None or hasattr(self, "_outranks"):
            return NO_PERMISSIONS if limit is None else limit
        granted = self._source.permissions.of(self._roles)
        return granted if limit is None else granted & limit

    @property
    def transport(self) -> Transport:
        """How the credential was sent: `bearer`, `cookie`, as a `feature` reads it, or empty without one."""
        return self._transport

    @property
    def kind(self) -> str:
        """The kind of the credential: `session`, `client`, or what a feature names; empty if anonymous."""
        found: str | None = getattr(self, "_kind", None)
        return found or (SESSION if self._claims.sid else "")

    @property
    def client(self) -> str | None:
        """The id of the client that acts for the user, such as an MCP client; None for the user."""
        return str(self._raw.get("client_id", "")) if hasattr(self, "_scopes") else None

    @property
    def actor(self) -> str | None:
        """The id of another user that acts for this one, such as an administrator (RFC 8693, 4.1); None without."""
        act = self._raw.get("act")
        return act.get("sub") if isinstance(act, Mapping) else None

    @property
    def outranks_actor(self) -> bool:
        """Whether the user has a permission that the user who acts for this one lacks."""
        return getattr(self, "_outranks", False)

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
        """`authenticated`, roles and permissions, for Starlette's `requires`; of a client, what its user allows now."""
        if not self.is_authenticated:
            return []
        if hasattr(self, "_scopes"):
            return [AUTHENTICATED, *self._scopes]
        declared = self._source.permissions if self._source is not None else UNDECLARED
        if not hasattr(self, "_limit"):
            return list(declared.scopes_of(self._roles))
        return list(declared.scopes(self._roles, self.permissions))

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
        if self._user is None and self._source is not None:
            self._user = await self._source.load(self.id)
        if self._user is None:
            raise self._error or UnauthorizedError()
        return self._user

    def require(self, **demands: Unpack[Demands]) -> "Identity":
        """Return the identity if it is logged in, and meets the demands.

        `roles` and `permissions` are one name or several: the user needs all of them, with `any_of=True` one of the
        roles and one of the permissions. `scopes` are those that a client needs; the user has all whose name is no
        permission. `fresh` is the greatest age of the login, and `second_factor=True` demands one: no client meets the
        two, nor any role. `verified=True` demands a verified address: await `load` before, or use `admit`, which does.
        Raises UnauthorizedError, ForbiddenError, InsufficientScopeError, FreshLoginRequiredError,
        SecondFactorNeededError or EmailNotVerifiedError.
        """
        return self.meet(Demand(**demands))

    def meet(self, demand: Demand) -> "Identity":
        """Return the identity if it meets the demands of a guard; raises the errors of `require`."""
        check(self, demand, self._source, self._user)
        return self

    async def admit(self, demand: Demand) -> "Identity":
        """Return the identity as `meet` does; reads the user from the database where the demand is about the user."""
        if demand.verified and self.is_authenticated:
            await self.load()
        return self.meet(demand)

    def admit_in_thread(self, demand: Demand) -> "Identity":
        """Do as `admit` in a thread of a host, such as that of a sync view: the event loop reads the user.

        Raises RuntimeError on the event loop itself, which must not wait for a thread.
        """
        if demand.verified and self._user is None and self._source is not None:
            self._user = in_loop(self._source.loop(), self.load())
        return self.meet(demand)

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
