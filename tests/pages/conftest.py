"""Fixtures of the pages' tests: an `Auth` with all pages, and a browser that looks at them."""

from collections.abc import AsyncIterator

import pytest

from asgi_auth import Argon2, Auth, AuthMiddleware, Field, Pages, Passwords, Sessions
from tests.pages.flows import Flows
from tests.pages.surfer import Surfer
from tests.support import Clock, make_auth, who

FIELDS = [
    Field("company", max_length=80, required=True),
    Field("age", int),
    Field("height", float),
    Field("newsletter", bool, default=False),
    Field("credit", int, default=0, write="admin"),
    Field("invited_by", write="register"),
]


@pytest.fixture
async def auth(clock: Clock) -> AsyncIterator[Auth]:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Flows(), Pages(next_allowed=["https://shop.example/in"])]
    async with make_auth(clock=clock, features=features, fields=FIELDS, name="Lighthouse") as made:
        yield made


@pytest.fixture
def surfer(auth: Auth) -> Surfer:
    return Surfer(AuthMiddleware(who, auth, mount="/auth"))
