"""The token endpoint takes forms, which pages of other sites can send: those count for nothing."""

from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlencode

import pytest

from asgi_auth import Argon2, Lockout, Passwords, RateLimits, Sessions, TokenEndpoint
from tests.features.flows import Flows, flows
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer

FORM = {"content-type": "application/x-www-form-urlencoded"}
EVIL = "https://evil.example"


def app_of(**settings: Any) -> AbstractAsyncContextManager[Flows]:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), TokenEndpoint(), RateLimits(), Lockout(after=3)]
    return flows(features=features, **settings)


async def token(app: Flows, fields: dict[str, str], **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await app.client.post("/auth/token", body=urlencode(fields).encode(), headers=FORM | named)


GUESS = {"grant_type": "password", "username": EMAIL, "password": "wrong"}
RIGHT = GUESS | {"password": PASSWORD}


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": EVIL, "sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://app.example.com.evil.example"},
    ],
)
async def test_a_form_of_another_site_is_refused_before_it_counts(headers: dict[str, str]) -> None:
    async with app_of() as app:
        await app.register()
        answers = [await token(app, GUESS, **headers) for _ in range(9)]
        rows = await app.auth.storage.run("SELECT count FROM {counters}", {})  # type: ignore[attr-defined]

        assert {(answer.status, answer.json["error"]) for answer in answers} == {(400, "access_denied")}
        assert {row["count"] for row in rows} == {1}  # those of the registration
        assert (await token(app, RIGHT)).status == 200


@pytest.mark.parametrize(
    "headers", [{}, {"origin": ORIGIN}, {"sec_fetch_site": "same-origin"}, {"origin": "https://spa.example"}]
)
async def test_clients_and_pages_that_may_are_served(headers: dict[str, str]) -> None:
    async with app_of(cors_origins=["https://spa.example"]) as app:
        await app.register()

        assert (await token(app, RIGHT, **headers)).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"grant_type": "password", "username": EMAIL},
        {"grant_type": "password", "username": EMAIL, "password": ""},
        {"grant_type": "password", "password": "wrong"},
        {"grant_type": "other", "username": EMAIL, "password": "wrong"},
        {"username": EMAIL, "password": "wrong"},
    ],
)
async def test_without_a_password_to_judge_nothing_is_a_guess(fields: dict[str, str]) -> None:
    async with app_of() as app:
        await app.register()
        answers = [await token(app, fields) for _ in range(9)]

        assert {answer.status for answer in answers} == {400}
        assert (await token(app, RIGHT)).status == 200
