"""What the tests of rate limits share: an app with limits, and a login from any address."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgi_auth import Account, Argon2, EmailChange, Passwords, RateLimits, Sessions, TokenEndpoint
from tests.features.flows import Flows, flows
from tests.support import EMAIL, Answer

WRONG = "not the right one"


@asynccontextmanager
async def limited(
    storage: str = "sqlite://", rules: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[Flows]:
    """An app with limits, and nothing else that refuses logins."""
    features = [
        Passwords(argon2=Argon2.cheap()),
        Sessions(),
        TokenEndpoint(),
        Account(),
        EmailChange(),
        RateLimits(rules),
    ]
    async with flows(storage, features=features, **options) as app:
        yield app


async def login(app: Flows, email: str = EMAIL, password: str = WRONG, ip: str = "192.0.2.7", **headers: str) -> Answer:
    body = {"email": email, "password": password}
    return await app.client.post("/auth/login", body, headers=headers, scope={"client": (ip, 1)})
