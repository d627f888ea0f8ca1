"""An app with administrators who act for users, for the tests of impersonation."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from asgi_auth import Admin, Auth, AuthMiddleware, Outbox, RecoveryCodes, Totp
from asgi_auth.feature import Client as Caller
from asgi_auth.feature import Event, Feature, TokenPair, User
from asgi_auth.sessions.identity import MFA, Identity
from tests.support import ORIGIN, PASSWORD, Answer, Client, Clock, bearer, cheap, login, make_auth, who

#: What roles give. A helper may not act for an owner.
PERMISSIONS = {
    "owner": ["*"],
    "helper": ["users:impersonate", "posts:write"],
    "editor": ["posts:write"],
    "billing": ["money:spend"],
    "customer": [],
}
#: The headers of a page's script, which takes its tokens in cookies.
BROWSER = {"auth-transport": "cookie", "origin": ORIGIN, "sec-fetch-site": "same-origin"}
ACCESS, REFRESH, PARKED = "__Host-auth", "__Host-auth-refresh", "__Host-auth-admin"


@dataclass
class World:
    """An app, its clock and mails, and its users."""

    auth: Auth
    clock: Clock
    outbox: Outbox
    client: Client
    users: dict[str, User] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    async def add(self, name: str, *roles: str) -> User:
        """Add a user with a name and roles."""
        self.users[name] = await self.auth.users.create(
            f"{name}@example.com", password=PASSWORD, verified=True, roles=roles
        )
        return self.users[name]

    async def pair(self, name: str, *, mfa: bool = True) -> TokenPair:
        """Log in; with `mfa`, as with a second factor, which tests of second factors show in full."""
        pair = await login(self.auth, f"{name}@example.com")
        return await self.with_mfa(pair) if mfa else pair

    async def with_mfa(self, pair: TokenPair) -> TokenPair:
        """Return the tokens of a session after a second factor."""
        return await self.auth.renew(await self.identity(pair), amr=(MFA,), client=Caller())

    async def identity(self, pair: TokenPair | str) -> Identity:
        """Return the user that an access token identifies."""
        return await self.auth.authenticate(pair if isinstance(pair, str) else pair.access_token)

    async def impersonate(self, by: TokenPair | str, name: str) -> Answer:
        """Begin to act for a user."""
        path = f"/auth/users/{self.users[name].id}/impersonate"
        return await self.client.post(path, {}, headers={**bearer(by), "auth-transport": "bearer"})

    async def acting(self, by: TokenPair | str, name: str = "user") -> str:
        """Begin to act for a user, and return the access token."""
        answer = await self.impersonate(by, name)
        assert answer.status == 200, answer.json
        return str(answer.json["access_token"])

    async def id_of(self, token: str) -> str:
        """Return the id of the user that a host sees, or the code of the error."""
        seen = (await self.client.get("/", headers=bearer(token))).json
        return str(seen["id"] or seen["error"])

    def heard(self, *names: str) -> list[tuple[str, str | None, str | None]]:
        """Return the events with some names: name, subject and actor, by the names of the users."""
        named = {user.id: name for name, user in self.users.items()}
        found = [event for event in self.events if event.name in names]
        return [(event.name, named.get(event.user_id or ""), named.get(event.actor or "")) for event in found]


@dataclass
class Browser:
    """A browser that keeps its cookies, for an administrator."""

    world: World
    client: Client

    async def log_in(self, name: str) -> Answer:
        """Log in by the password."""
        body = {"email": f"{name}@example.com", "password": PASSWORD}
        answer = await self.client.post("/auth/login", body, headers=BROWSER)
        if ACCESS in self.client.cookies:
            await self.world.with_mfa(await self._pair())
        return answer

    async def _pair(self) -> TokenPair:
        return TokenPair(
            access_token=self.client.cookies[ACCESS], token_type="Bearer", expires_in=1, refresh_expires_in=1
        )

    async def impersonate(self, name: str) -> Answer:
        """Begin to act for a user."""
        return await self.post(f"/users/{self.world.users[name].id}/impersonate")

    async def post(self, path: str, body: Any = None) -> Answer:
        """Call an endpoint by a script of the page."""
        return await self.client.post(f"/auth{path}", body or {}, headers=BROWSER)

    async def id_seen(self) -> str:
        """Return the id of the user that the host sees; empty without one."""
        return str((await self.client.get("/")).json["id"])


@asynccontextmanager
async def impersonating(
    storage: str = "sqlite://", *, more: Sequence[Feature] = (), clock: Clock | None = None, **options: Any
) -> AsyncIterator[World]:
    """Run an app with an owner, a helper, an editor, one who pays, and a user without roles."""
    clock, outbox = clock or Clock(), Outbox()
    options.setdefault("permissions", PERMISSIONS)
    options.setdefault("features", [*cheap(mail=True), Totp(), RecoveryCodes(), Admin(), *more])
    async with make_auth(storage, clock=clock, mailer=outbox, **options) as auth:
        world = World(auth, clock, outbox, Client(AuthMiddleware(who, auth, mount="/auth")))
        auth.on("*")(world.events.append)
        for name in ("owner", "helper", "editor", "billing"):
            await world.add(name, name)
        await world.add("user")
        yield world


def a_browser(world: World) -> Browser:
    """Return a browser of the app."""
    return Browser(world, Client(world.client.app, keep_cookies=True))
