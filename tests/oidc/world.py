"""An app whose users log in at fake providers, and a browser that goes there and back."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from asgi_auth import (
    OIDC,
    Argon2,
    Auth,
    AuthMiddleware,
    OpenIDProvider,
    Outbox,
    Passwords,
    RecoveryCodes,
    SecondFactors,
    Totp,
)
from asgi_auth.feature import Feature
from asgi_auth.testing.provider import FakeProvider, InProcess, Network
from tests.support import EMAIL, ORIGIN, Answer, Client, Clock, make_auth, unlimited, who

ISSUER, OTHER = "https://id.example.com", "https://other.example.com"
SECRET = "the secret of a client of a fake provider"
CALLBACK = "/auth/oidc/op/callback"


def openid(name: str = "op", issuer: str = ISSUER, **options: Any) -> OpenIDProvider:
    return OpenIDProvider(name, "app", SECRET, issuer=issuer, **options)


@dataclass
class World:
    """An app, its provider, its mails, its clock, and a browser."""

    auth: Auth
    op: FakeProvider
    outbox: Outbox
    clock: Clock
    app: AuthMiddleware
    browser: Client
    network: Network
    others: dict[str, Any] = field(default_factory=dict)

    def another_browser(self) -> Client:
        return Client(self.app, keep_cookies=True, headers={"accept": "text/html"})

    async def begin(self, target: str = "", name: str = "op", browser: Client | None = None) -> str:
        """Begin a login, and return the URL at the provider."""
        query = f"?next={target}" if target else ""
        answer = await (browser or self.browser).get(f"/auth/oidc/{name}/login{query}")
        assert answer.status == 303, answer.body
        return answer.header("location") or ""

    async def back(self, url: str) -> str:
        """Log in at the provider, and return the path and the query of the way back."""
        way = (await self.op.visit(url)).url
        assert way.startswith(ORIGIN)
        return way.removeprefix(ORIGIN)

    async def login(self, target: str = "", browser: Client | None = None) -> Answer:
        """Go to the provider and back."""
        back = await self.back(await self.begin(target, browser=browser))
        return await (browser or self.browser).get(back)

    async def me(self, browser: Client | None = None) -> Answer:
        return await (browser or self.browser).get("/auth/me")

    def user(self, subject: str = "7", **claims: Any) -> None:
        """Make the visitor of the provider."""
        self.op.add_user(subject, **{"email": EMAIL, "email_verified": True, "name": "Ada"} | claims)
        self.op.visitor = subject


@asynccontextmanager
async def world(
    storage: Any = "sqlite://",
    *more: Feature,
    mail: bool = True,
    provider: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[World]:
    """Run an app that knows one provider by the name `op`."""
    clock, outbox = Clock(), Outbox()
    op = FakeProvider(ISSUER, client_id="app", client_secret=SECRET, now=clock, **provider or {})
    outgoing = InProcess(op)
    names = ("enumeration", "verification", "cookie_same_site", "cors_origins", "fields", "counters")
    settings = {name: options.pop(name) for name in names if name in options}
    providers: Sequence[OpenIDProvider] = options.pop("providers", [openid()])
    features = [
        Passwords(argon2=Argon2.cheap()),
        *unlimited(mail=mail),
        SecondFactors(),
        Totp(),
        RecoveryCodes(),
        OIDC(providers, outgoing=outgoing, **options),
        *more,
    ]
    auth = make_auth(storage, clock=clock, features=features, mailer=outbox if mail else None, **settings)
    async with auth:
        app = AuthMiddleware(who, auth, mount="/auth")
        made = World(auth, op, outbox, clock, app, Client(app), outgoing.network)
        made.browser = made.another_browser()
        made.user()
        yield made
