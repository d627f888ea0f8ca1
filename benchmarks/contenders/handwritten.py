"""A middleware written by hand: a dictionary of verified tokens. What any library can be held against.

Variants: "" looks the token up, and no more; "checked" makes the checks that asgi_auth makes at each request with a
token seen before: one credential only, expiry, ended sessions, changed roles, the age of that knowledge, the mount, the
type of the connection; and it keeps the user in a context variable, too.
"""

import time
from contextvars import ContextVar
from typing import Any, NamedTuple

import jwt

from benchmarks.contenders import base
from benchmarks.contenders.ours import answer, host

CREDENTIALS = frozenset({b"authorization", b"cookie"})


class User(NamedTuple):
    """What is kept of a token that was verified."""

    id: str
    session_id: str
    roles: tuple[str, ...]
    expires_at: int
    is_authenticated: bool = True


NOBODY = User("", "", (), 0, is_authenticated=False)
current: ContextVar[User] = ContextVar("user", default=NOBODY)


class Plain:
    """Looks a token up."""

    def __init__(self, app: Any, users: dict[bytes, User]) -> None:
        self.app, self.users = app, users

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Put the user into a copy of the scope."""
        line = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                line = value
        scope = dict(scope)
        scope["user"] = self.users.get(line[7:], NOBODY)
        await self.app(scope, receive, send)


class Checked:
    """Looks a token up, and checks all that can have changed since it was verified."""

    def __init__(self, app: Any, users: dict[bytes, User]) -> None:
        self.app, self.users, self.mount = app, users, "/auth"
        self.ended: set[str] = set()
        self.roles: dict[str, tuple[str, ...]] = {}
        self.fresh_until = float("inf")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Put the user into a copy of the scope and into the context variable."""
        if scope["type"] != "http" or self.mount in scope["path"]:
            raise RuntimeError("not measured")
        line = None
        for name, value in scope["headers"]:
            if name in CREDENTIALS:
                line = value if line is None else b""
        user = self.users.get(line[7:], NOBODY) if line is not None and line[:7] == b"Bearer " else NOBODY
        if time.time() >= user.expires_at or user.session_id in self.ended or time.monotonic() > self.fresh_until:
            user = NOBODY
        roles = self.roles.get(user.id)
        if roles is not None:
            user = user._replace(roles=roles)
        scope = dict(scope)
        scope["user"] = scope["auth"] = user
        token = current.set(user)
        try:
            await self.app(scope, receive, send)
        finally:
            current.reset(token)


class Handwritten(base.Contender):
    """One of the two, with one token that was verified before."""

    operations = ()

    async def open(self) -> None:
        """Verify the token once."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": "asgi-auth", "aud": "asgi-auth", "sub": "01900000-0000-7000-8000-000000000001",
            "sid": "01900000-0000-7000-8000-000000000000", "jti": "0123456789abcdef", "iat": now, "exp": now + 9999,
            "auth_time": now, "amr": ["pwd"], "roles": ["user"], "gen": 0,
        }  # fmt: skip
        self.token = jwt.encode(claims, base.SECRET, "HS256", headers={"typ": "at+jwt", "kid": "0123456789"})
        users = {self.token.encode(): User(claims["sub"], claims["sid"], ("user",), claims["exp"])}
        self.bare = answer
        self.app = (Checked if self.options.variant == "checked" else Plain)(host, users)

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """Requests with the token."""
        return [base.Request("GET", "/", base.bearer(self.token))] * count


make = Handwritten
