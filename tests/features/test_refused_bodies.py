"""Bodies that are refused for their form count against the client's address, and against nothing else."""

from collections.abc import Collection
from typing import ClassVar

import pytest

from asgi_auth import Argon2, AuthApp, Lockout, Pages, Passwords, RateLimits, Sessions
from asgi_auth.errors import AuthError, ForbiddenError, StorageUnavailableError
from asgi_auth.feature import Call, Endpoint, Feature
from tests.features.limited import limited, login
from tests.pages.flows import all_features
from tests.pages.surfer import VISITOR
from tests.support import EMAIL, PASSWORD, Client, CountingStorage, bearer, make_auth, register
from tests.support import login as login_in_process

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
RULES = {"login": "3/m/ip, 3/m/account", "token": "3/m/ip, 3/m/account"}
REFUSED = {
    "no JSON": (b"{", JSON, 400),
    "nested": (b"[" * 60_000, JSON, 400),
    "too large": (b"x" * 70_000, JSON, 413),
    "another type": (b"a=b", FORM, 415),
    "no fields": (b"{}", JSON, 422),
    "a long address": (b'{"email": "%s@a.b", "password": "x"}' % (b"a" * 60_000), JSON, 422),
    "an unknown field": (b'{"email": "a@b.c", "password": "x", "y": 1}', JSON, 422),
    "a wrong type": (b'{"email": 1, "password": "x"}', JSON, 422),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_a_refused_body_counts_by_address(kind: str) -> None:
    body, headers, status = REFUSED[kind]
    async with limited(rules=RULES) as app:
        answers = [await app.client.post("/auth/login", body=body, headers=headers) for _ in range(4)]
        after = await login(app, ip="192.0.2.7")
        elsewhere = await login(app, ip="198.51.100.1")

    assert [answer.status for answer in answers] == [status] * 3 + [429]
    assert int(answers[-1].header("retry-after") or 0) > 0
    # The same address guesses no more; the account and other networks are untouched.
    assert (after.status, elsewhere.status) == (429, 401)


async def test_endpoints_that_take_a_password_share_the_count() -> None:
    async with limited(rules=RULES) as app:
        for _ in range(3):
            assert (await app.client.post("/auth/token", body=b"%", headers=FORM)).status == 400
        assert (await login(app)).status == 429


async def test_a_refused_form_of_a_page_counts_as_well() -> None:
    features = [*all_features(Pages()), RateLimits(RULES)]
    client = Client(AuthApp(make_auth(mailer=print, features=features)), VISITOR | FORM)

    statuses = [(await client.post("/login", body=b"email=%zz")).status for _ in range(4)]

    assert statuses == [400, 400, 400, 429]


async def test_it_is_no_guess_at_the_password_of_a_user() -> None:
    """Neither the limit of the account nor the lockout counts it."""
    rules = {"change_password": "100/m/ip, 2/m/account"}
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), RateLimits(rules), Lockout(after=1)]
    async with make_auth(features=features) as auth:
        client = Client(AuthApp(auth))
        await register(auth)
        pair = await login_in_process(auth)
        for _ in range(5):
            answer = await client.post("/change-password", {"current_password": 1}, headers=bearer(pair))
            assert answer.status == 422
        body = {"current_password": PASSWORD, "new_password": "another battery staple"}
        changed = await client.post("/change-password", body, headers=bearer(pair))

    assert changed.status == 204


async def test_while_the_database_is_away_the_refusal_stands() -> None:
    storage = CountingStorage()
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), RateLimits(RULES)]
    async with make_auth(storage, features=features) as auth:

        async def away(_statement: str) -> None:
            raise StorageUnavailableError

        storage.before = away
        answer = await Client(AuthApp(auth)).post("/login", {"email": EMAIL})
        storage.before = None

    assert answer.status == 422


async def test_a_feature_may_refuse_otherwise() -> None:
    class Strict(Feature):
        seen: ClassVar[list[Call]] = []

        async def refused(self, call: Call) -> None:
            self.seen.append(call)
            raise ForbiddenError

        def takes_part(self, endpoint: Endpoint) -> bool:
            return endpoint.name == "login"

        def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:
            return (ForbiddenError,) if self.takes_part(endpoint) else ()

    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Strict()]
    client = Client(AuthApp(make_auth(features=features)))

    refused = await client.post("/login", {"email": EMAIL})
    other = await client.post("/register", {"email": EMAIL})

    assert (refused.status, other.status) == (403, 422)
    assert [(call.endpoint.name, call.values) for call in Strict.seen] == [("login", {})]
