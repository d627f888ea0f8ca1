"""An app with administrators of several ranks, for the tests of administration."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from asgi_auth import Admin, Auth, AuthMiddleware, Outbox, Totp
from asgi_auth.feature import Client as Caller
from asgi_auth.feature import TokenPair, User
from asgi_auth.sessions.identity import MFA
from tests.support import PASSWORD, Answer, Client, Clock, bearer, cheap, login, make_auth, who

#: What roles give. A helper may not act on an owner, nor give what an owner has.
PERMISSIONS = {
    "owner": ["*"],
    "helper": ["users:read", "users:write", "users:roles", "users:impersonate"],
    "reader": ["users:read"],
    "editor": ["posts:write"],
    "billing": ["money:spend"],
}


@dataclass
class World:
    """An app, its clock and mails, and what its users are."""

    auth: Auth
    clock: Clock
    outbox: Outbox
    client: Client
    users: dict[str, User] = field(default_factory=dict)
    acting: dict[str, str] = field(default_factory=dict)

    async def add(self, name: str, *roles: str) -> User:
        """Add a user with a name and roles."""
        self.users[name] = await self.auth.users.create(
            f"{name}@example.com", password=PASSWORD, verified=True, roles=roles
        )
        return self.users[name]

    async def pair(self, name: str, *, mfa: bool = True) -> TokenPair:
        """Log in; with `mfa`, as with a second factor, which tests of second factors show in full."""
        pair = await login(self.auth, f"{name}@example.com")
        if not mfa:
            return pair
        identity = await self.auth.authenticate(pair.access_token)
        return await self.auth.renew(identity, amr=(MFA,), client=Caller())

    async def headers(self, name: str, *, mfa: bool = True) -> dict[str, str]:
        """Return the header of a fresh login."""
        return bearer(await self.pair(name, mfa=mfa))

    async def call(self, by: str | dict[str, str], method: str, path: str, **body: Any) -> Answer:
        """Call an endpoint as a user, or with the headers of one; `{name}` in the path is the id of a user."""
        headers = await self.headers(by) if isinstance(by, str) else by
        path = path.format_map({name: user.id for name, user in self.users.items()})
        sent: dict[str, Any] = {"json_body": body} if method != "GET" and (body or method != "DELETE") else {}
        return await self.client.request(method, f"/auth{path}", headers=headers, **sent)

    async def roles(self, name: str) -> tuple[str, ...]:
        """Return the roles that a user has now."""
        return (await self.auth.users.get(self.users[name].id)).roles


@asynccontextmanager
async def administered(storage: str = "sqlite://", **options: Any) -> AsyncIterator[World]:
    """Run an app with an owner, a helper, a reader, an editor and a user."""
    clock, outbox = Clock(), Outbox()
    options.setdefault("permissions", PERMISSIONS)
    options.setdefault("features", [*cheap(mail=True), Totp(), Admin()])
    async with make_auth(storage, clock=clock, mailer=outbox, **options) as auth:
        world = World(auth, clock, outbox, Client(AuthMiddleware(who, auth, mount="/auth")))
        for name in ("owner", "helper", "reader", "editor"):
            await world.add(name, name)
        await world.add("user")
        yield world
