"""Fixtures of the core's tests: an `Auth` on SQLite in memory, its clock, and a client of a host behind it."""

from collections.abc import AsyncIterator

import pytest

from asgi_auth import Auth, AuthMiddleware
from tests.support import INSTALLATION, Client, Clock, make_auth, who


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def auth(clock: Clock) -> AsyncIterator[Auth]:
    async with make_auth(clock=clock) as made:
        # A known one, for forged tokens.
        made.keys.bind(INSTALLATION)
        yield made


@pytest.fixture
async def client(auth: Auth) -> Client:
    return Client(AuthMiddleware(who, auth, mount="/auth"))
