"""What the tests of the app share."""

from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from fastapi.testclient import TestClient

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.testing import Clock, FakeProvider, InProcess

from .notes_app import CLIENT_SECRET, ISSUER, ROLES, create_app, features


@pytest.fixture
def provider(auth_clock: Clock) -> FakeProvider:
    made = FakeProvider(ISSUER, client_id="notes", client_secret=CLIENT_SECRET, now=auth_clock)
    made.add_user("7", email="grace@example.com", email_verified=True, name="Grace")
    return made


@pytest.fixture
def auth(auth_factory: Callable[..., Auth], provider: FakeProvider) -> Auth:
    return auth_factory(features=features(InProcess(provider)), permissions=ROLES)


@pytest.fixture
def app(auth: Auth) -> AuthMiddleware:
    return create_app(auth)


@pytest.fixture
def client(app: AuthMiddleware) -> Iterator[TestClient]:
    with TestClient(app) as opened:
        yield opened


@pytest.fixture
async def http(app: AuthMiddleware, auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    base = auth.settings.origin or ""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as opened:
        yield opened
