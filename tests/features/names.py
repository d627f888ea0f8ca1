"""What the tests of usernames share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from asgi_auth import Argon2, MagicLink, Passwords, Usernames
from tests.features.flows import Flows, flows
from tests.support import EMAIL, PASSWORD, Answer, unlimited

EVE = "eve@example.com"
FORM = {"content-type": "application/x-www-form-urlencoded"}
TAKEN = {"username": ["This is taken."]}
#: The paths that mail something to the account that is named.
BY_MAIL = {"forgot-password": "reset_password", "magic-link": "magic_link", "request-unlock": "unlock"}


@asynccontextmanager
async def naming(storage: Any = "sqlite://", *more: Any, usernames: Any = None, **options: Any) -> AsyncIterator[Flows]:
    """An app with usernames, and without limits unless they are among the features that come on top."""
    features = [Passwords(argon2=Argon2.cheap()), *unlimited(mail=True), MagicLink(), usernames or Usernames(), *more]
    async with flows(storage, features=features, **options) as app:
        yield app


async def register(app: Flows, username: str | None = "Ada", email: str = EMAIL, **more: Any) -> Answer:
    body = {"email": email, "password": PASSWORD, **more} | ({"username": username} if username is not None else {})
    return await app.client.post("/auth/register", body)


async def log_in(app: Flows, username: str, password: str = PASSWORD) -> Answer:
    return await app.client.post("/auth/login", {"username": username, "password": password})


async def by_token(app: Flows, username: str, password: str = PASSWORD) -> Answer:
    body = urlencode({"grant_type": "password", "username": username, "password": password}).encode()
    return await app.client.post("/auth/token", body=body, headers=FORM)


async def rename(app: Flows, name: str | None, headers: dict[str, str]) -> Answer:
    return await app.client.request("PATCH", "/auth/me", json_body={"username": name}, headers=headers)
