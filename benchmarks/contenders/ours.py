"""asgi_auth. Variants: "" has passwords and sessions; see `VARIANTS` for the others."""

import time
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from asgi_auth import (
    Argon2,
    Auth,
    AuthMiddleware,
    AuthorizationServer,
    Pages,
    Passwords,
    Resource,
    Sessions,
    Settings,
    require,
)
from asgi_auth.feature import Feature
from asgi_auth.features.defaults import defaults
from asgi_auth.model.records import Session, User, new_id
from benchmarks.contenders import base
from benchmarks.contenders.calls import checked

VARIANTS = {
    "": "passwords and sessions",
    "defaults": "all default features: limits, lockout and the rest",
    "strict": 'revocation="strict": the database is asked on every request',
    "starlette": "in front of a Starlette app",
    "resource": "an authorization server, and a resource at /mcp whose tokens its clients have",
    "real": "the default hash",
    "rfc9106": "64 MiB, 3 passes, 1 lane: the second recommendation of RFC 9106, with one lane",
    "owasp": "19 MiB, 2 passes, 1 lane: the least that OWASP allows",
}
HASHES = {
    "real": Argon2(),
    "rfc9106": Argon2(time_cost=3, memory_cost=65536),
    "owasp": Argon2(time_cost=2, memory_cost=19456),
}
#: The path of the resource, and the scope of its clients.
RESOURCE, SCOPE = "/mcp", "notes:read"


async def answer(_scope: Any, _receive: Any, send: Any, status: int = 200) -> None:
    """Answer at once."""
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


async def host(scope: Any, receive: Any, send: Any) -> None:
    """Answer 401 to anonymous requests; `/roles` wants a role, `/open` nothing."""
    if scope["path"] == "/roles":
        require(scope, roles="user")
    allowed = scope["user"].is_authenticated or scope["path"] == "/open"
    await answer(scope, receive, send, 200 if allowed else 401)


def starlette() -> Any:
    """Make the smallest Starlette app."""

    async def home(_request: Any) -> PlainTextResponse:
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/", home)])


class Ours(base.Contender):
    """The library, in front of a bare ASGI app."""

    kinds = ("bearer", "cookie", "first seen", "anonymous", "invalid", "roles")

    async def open(self) -> None:
        """Make the apps; seed the users with one and the same hash."""
        variant = self.options.variant
        # The cheapest hash stands for none at all, so its threads do not wait behind other processes either.
        argon2 = HASHES.get(variant)
        passwords = Passwords(argon2=argon2) if argon2 else Passwords(argon2=Argon2.cheap(), niceness=0)
        features: list[Feature] = [passwords]
        others = [item for item in defaults(mail=False) if not isinstance(item, Passwords)]
        features += others if variant == "defaults" else [Sessions()]
        if variant == "resource":
            features += [Pages(), AuthorizationServer({RESOURCE: Resource("Notes", scopes={SCOPE: "Read your notes"})})]
        revocation: Any = "strict" if variant == "strict" else "cached"
        url = "https://app.example.com"
        settings = Settings(secret=base.SECRET, base_url=url, revocation=revocation, enumeration="tell")
        self.auth = Auth(self.options.database, settings=settings, features=features)
        self.bare = starlette() if variant == "starlette" else answer
        inner = starlette() if variant == "starlette" else host
        self.app = AuthMiddleware(inner, self.auth, mount="/auth", required=variant == "starlette")
        await self.auth.start()
        if self.options.seed:
            await self._seed()

    async def _seed(self) -> None:
        passwords, now = self.auth[Passwords], int(time.time())
        secret = await passwords.passwords.hasher.hash(base.PASSWORD)
        async with self.auth.storage.transaction() as storage:
            for number in range(self.options.users):
                email = base.email_of(number)
                user = User(
                    id=new_id(now), email=email, email_canonical=email, roles=("user",), created_at=now, updated_at=now
                )
                await storage.add_user(user, passwords.passwords.credential(user.id, secret))

    async def close(self) -> None:
        """Close the storage."""
        await self.auth.close()

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """Make requests; those seen first have a token each, of one session."""
        if kind == "anonymous":
            return [base.Request("GET", "/")] * count
        if kind == "invalid":
            return [base.Request("GET", "/", base.bearer("no.such.token"))] * count
        pair = (await self._tokens())["access_token"]
        if kind == "first seen":
            return [base.Request("GET", "/", base.bearer(token)) for token in self._fresh(pair, count)]
        if kind == "client":
            return [base.Request("GET", RESOURCE, base.bearer(self._of_client(pair)))] * count
        if kind == "cookie":
            return [base.Request("GET", "/", [(b"cookie", f"__Host-auth={pair}".encode())])] * count
        return [base.Request("GET", "/roles" if kind == "roles" else "/", base.bearer(pair))] * count

    def _fresh(self, token: str, count: int) -> list[str]:
        session = self._session_of(token)
        return [self.auth.access_tokens.make(session, ("user",), {})[0] for _ in range(count)]

    def _of_client(self, token: str) -> str:
        """Make the token of a client of the resource, as the token endpoint does."""
        [resource] = self.auth.resources.found
        client = {"client_id": "client-1", "scope": SCOPE}
        make = partial(self.auth.access_tokens.make, issuer=resource.issuer, audience=resource.url, client=client)
        return make(self._session_of(token), (), {})[0]

    def _session_of(self, token: str) -> Session:
        claims, _ = self.auth.access_tokens.read(token)
        now = int(time.time())
        return Session(
            id=claims.sid, user_id=claims.sub, created_at=now, last_used_at=now, rotated_at=now, expires_at=now + 9999,
            auth_time=now, amr=("pwd",),
        )  # fmt: skip

    async def _tokens(self) -> Any:
        return base.parsed(await checked(self.app, self.login(0)))

    def login(self, number: int) -> base.Request:
        """Log in by turns."""
        email = base.email_of(number % self.options.users)
        return base.json_request("/auth/login", {"email": email, "password": base.PASSWORD}, number)

    def refresh(self, answer: bytes, number: int) -> base.Request:
        """Use the refresh token of the answer before."""
        return base.json_request("/auth/refresh", {"refresh_token": base.parsed(answer)["refresh_token"]}, number)


make = Ours
