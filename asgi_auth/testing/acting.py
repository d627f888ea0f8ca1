"""Requests as a user, without a login: the middleware is told who asks.

It is told by a context variable of the test, and never by anything in a request.
"""

import asyncio
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from copy import copy, deepcopy
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from asgi_auth.accounts.extra_fields import checked_data
from asgi_auth.auth import Auth
from asgi_auth.middleware import AuthMiddleware
from asgi_auth.model.frozen import frozen
from asgi_auth.model.records import User, new_id
from asgi_auth.sessions.handover import acting_as
from asgi_auth.sessions.identity import Identity
from asgi_auth.sessions.permissions import PermissionMap
from asgi_auth.sessions.source import UNDECLARED, Source
from asgi_auth.sessions.tokens import ACT, RESERVED, Claims
from asgi_auth.testing.users import BY_PASSWORD, BY_TWO_FACTORS
from asgi_auth.validation.permissions import check_name

_acting: "ContextVar[ActingUser | None]" = ContextVar("asgi_auth_testing", default=None)
#: Seconds that the login of a made-up user lasts where no `Auth` says so.
LIFETIME = 900


class ActingUser:
    """What `as_user` returns: a context manager, and an ASGI app."""

    def __init__(  # noqa: PLR0917 (`as_user` has the defaults)
        self,
        app: ASGIApp | Auth | None,
        user: User,
        permissions: frozenset[str],
        amr: tuple[str, ...],
        age: float,
        claims: Mapping[str, Any],
        *,
        data: Mapping[str, Any],
        is_made_up: bool,
    ) -> None:
        """Take the arguments of `as_user`."""
        _teach_middleware()
        self._app = app
        self._auth = app if isinstance(app, Auth) else getattr(app, "auth", None)
        self._data = data
        self._is_made_up = is_made_up
        self.user: User = self._with_fields(user, self._auth if isinstance(self._auth, Auth) else None)
        self._permissions = permissions
        self._amr = amr
        self._age = age
        self._claims = claims
        self._entered: list[ExitStack] = []
        if isinstance(self._auth, Auth):
            # A mistake is an error in the line of the test that makes it, not in a request.
            self.identity(self._auth)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the app as the user."""
        if self._app is None or isinstance(self._app, Auth):
            raise TypeError("as_user needs the app whose requests the user makes: as_user(app, …)")
        with self._acting():
            await self._app(scope, receive, send)

    def __enter__(self) -> User:
        """Begin to act as the user, in this task and in what it begins; return the user."""
        stack = ExitStack()
        stack.enter_context(self._acting())
        stack.enter_context(acting_as(self.identity(self._auth if isinstance(self._auth, Auth) else None)))
        self._entered.append(stack)
        return self.user

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._entered.pop().close()

    @contextmanager
    def _acting(self) -> Iterator[None]:
        token = _acting.set(self)
        try:
            yield
        finally:
            # A fixture may end in another context than it began in: there is nothing to set back there.
            with suppress(ValueError):
                _acting.reset(token)

    def is_for(self, auth: Auth) -> bool:
        """Tell whether the user is one of an `Auth`: of each, if none is known."""
        return not isinstance(self._auth, Auth) or self._auth is auth

    def identity(self, auth: Auth | None) -> Identity:
        """Return the identity that a login of the user would have. Raises the errors of `as_user`."""
        now = auth.now if auth is not None else time.time
        claims = self._typed_claims(auth, int(now()))
        raw = {**msgspec.structs.asdict(claims), **self._claims}
        loop = _running_loop()
        known = auth.permissions if auth is not None else UNDECLARED
        known.check_known(self.user.roles)
        user = self._with_fields(self.user, auth)

        async def load(_: str) -> User:
            return user

        source = Source(load, now, _Permissions(known, self._permissions), lambda: loop)
        identity = Identity(claims, MappingProxyType(frozen(raw)), self.user.roles, "bearer", source)
        if loop is None:
            # A test client that runs sync code alone leaves no event loop that could read the user.
            identity._user = user
        return identity

    def _typed_claims(self, auth: Auth | None, now: int) -> Claims:
        issuer, audience = (auth.settings.issuer, auth.settings.audience) if auth is not None else ("", "")
        ends = now + (auth.settings.access_ttl if auth is not None else LIFETIME)
        began, user = int(now - self._age), self.user
        return Claims(
            issuer, audience, user.id, new_id(now), new_id(now), now, ends, began, self._amr, user.roles, 0, ""
        )

    def _with_fields(self, user: User, auth: Auth | None) -> User:
        """Return the user with the extra fields that are given; a made-up one has the defaults of all others."""
        if auth is None:
            return msgspec.structs.replace(user, data={**user.data, **self._data})
        fields = auth.settings.fields
        defaults = {item.name: deepcopy(item.default) for item in fields} if self._is_made_up else {}
        return msgspec.structs.replace(user, data=defaults | user.data | checked_data(fields, self._data))


def as_user(
    app: ASGIApp | Auth | None = None,
    user: User | str | None = None,
    *,
    roles: str | Collection[str] | None = None,
    permissions: str | Collection[str] = (),
    verified: bool | None = None,
    mfa: bool = False,
    age: float = 0,
    claims: Mapping[str, Any] = MappingProxyType({}),
    data: Mapping[str, Any] = MappingProxyType({}),
) -> ActingUser:
    """Make the requests of a test as a logged-in user, without a login and without a database.

    A block acts as the user, whichever test client sends the requests, and `as_user(app, …)` is an app whose requests
    all do::

        with as_user(app, roles="admin"):
            assert client.get("/payroll").status_code == 200

        client = TestClient(as_user(app, roles="admin"))

    `user` is a `User`, an id or an address; by default a user is made up, which is not stored. `roles` replace those of
    the user, `permissions` are added to what its roles give, and `verified` tells whether the address is (of a made-up
    user, it is). `mfa` tells whether the login had a second factor, `age` is its age in seconds, and `claims` are
    further claims of the access token. `data` are extra fields, which replace those of the user; a made-up user has the
    defaults of the others. With several `Auth`s in one app, pass the one that is meant as `app`.

    Guards, `current_user()` and websockets work as after a login. The session is not stored: for the endpoints of the
    library take `login_headers`. Credentials in the requests do not count. Raises TypeError for a user in the place of
    the app, ValueError for roles, permissions and claims that no user can have, and ValidationError for such `data`.
    """
    if app is not None and not callable(app) and not isinstance(app, Auth):
        raise TypeError(f"{app!r} is no app: name a user by keyword, as in as_user(user=...)")
    given = (permissions,) if isinstance(permissions, str) else permissions
    if taken := (RESERVED - {ACT}).intersection(claims):
        raise ValueError(f"these claims are reserved: {', '.join(sorted(taken))}")
    amr = BY_TWO_FACTORS if mfa else BY_PASSWORD
    acting, added = _user(user, roles, verified), frozenset(map(check_name, given))
    return ActingUser(app, acting, added, amr, age, claims, data=data, is_made_up=not isinstance(user, User))


def _user(given: User | str | None, roles: str | Collection[str] | None, verified: bool | None) -> User:  # noqa: FBT001 (named so by `as_user`)
    user = given if isinstance(given, User) else _made_up(given)
    changes: dict[str, Any] = {} if verified is None else {"email_verified": verified}
    if roles is not None:
        changes["roles"] = (roles,) if isinstance(roles, str) else tuple(roles)
    return msgspec.structs.replace(user, **changes)


def _made_up(name: str | None) -> User:
    now = time.time()
    email = name if name is not None and "@" in name else "user@example.com"
    id_ = name if name is not None and "@" not in name else new_id(now)
    created = int(now)
    return User(
        id=id_,
        email=email,
        email_canonical=email.lower(),
        email_verified=True,
        created_at=created,
        updated_at=created,
    )


class _Permissions(PermissionMap):
    """The permissions of the roles of an `Auth`, and some more, whatever the roles."""

    def __init__(self, known: PermissionMap, more: frozenset[str]) -> None:
        super().__init__({}, ())
        if known.declared and (unknown := more - known.declared):
            raise ValueError(f"no role or feature names the permission {', '.join(sorted(unknown))}")
        self.declared = known.declared | more
        self._known = known
        self._more = more

    def of(self, roles: tuple[str, ...]) -> frozenset[str]:
        return self._known.of(roles) | self._more

    def scopes_of(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        return self.scopes(roles, self.of(roles))


class _Told:
    """Stands in for the authenticator of a middleware: all requests are those of one identity."""

    def __init__(self, identity: Identity, authenticator: Any) -> None:
        self._identity = identity
        self.cookies = authenticator.cookies

    def from_cache(self, _: Scope) -> Identity:
        return self._identity


@cache
def _teach_middleware() -> None:
    """Let the middleware know the user of `as_user`, from the first call in a process on.

    The library has no way to be told who asks: nothing that a deployed app imports calls this.
    """
    original = AuthMiddleware.__call__

    async def call(self: AuthMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        acting = _acting.get()
        if acting is None or scope["type"] not in {"http", "websocket"} or not acting.is_for(self.auth):
            await original(self, scope, receive, send)
            return
        told: Any = copy(self)
        told._authenticator = _Told(acting.identity(self.auth), self._authenticator)
        await original(told, scope, receive, send)

    AuthMiddleware.__call__ = call  # type: ignore[method-assign]  # for the process of a test


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
