"""Fixtures of the pages' tests: an `Auth` with all pages, and a browser that looks at them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from asgi_auth import Auth, AuthMiddleware, Field, Outbox, Pages
from tests.pages.administration import Site, administered_pages
from tests.pages.flows import all_features
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
    features = all_features(Pages(next_allowed=["https://shop.example/in"]))
    options: dict[str, Any] = {"fields": FIELDS, "name": "Lighthouse", "verification": "off"}
    async with make_auth(clock=clock, features=features, mailer=Outbox(), **options) as made:
        yield made


@pytest.fixture
def surfer(auth: Auth) -> Surfer:
    return Surfer(AuthMiddleware(who, auth, mount="/auth"))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with administered_pages() as site:
        yield site
