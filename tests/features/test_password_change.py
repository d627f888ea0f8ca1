"""Passwords: the token endpoint of OAuth 2, and changing the password."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlencode

import pytest

from asgi_auth import Auth
from asgi_auth.errors import InvalidCredentialsError, StorageUnavailableError, TokenRevokedError
from tests.support import EMAIL, PASSWORD, Answer, Client, bearer, change_password, login, register

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
NEW = "another horse battery"


# The token endpoint


async def grant(client: Client, **form: str) -> Answer:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return await client.post("/auth/token", body=urlencode(form).encode(), headers=headers)


async def test_the_token_endpoint_gives_tokens_for_a_password_and_for_a_refresh_token(
    auth: Auth, client: Client
) -> None:
    await register(auth)

    first = await grant(
        client, grant_type="password", username=EMAIL, password=PASSWORD, scope="a b", client_id="x", client_secret="y"
    )
    second = await grant(client, grant_type="refresh_token", refresh_token=first.json["refresh_token"])

    for answer in (first, second):
        assert (answer.status, answer.json["token_type"]) == (200, "Bearer")
        assert (await client.get("/auth/me", headers=bearer(answer.json["access_token"]))).status == 200
        assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "username": EMAIL, "password": "wrong"}, "invalid_grant"),
        ({"grant_type": "password", "username": "eve@example.com", "password": "wrong"}, "invalid_grant"),
        ({"grant_type": "password", "username": EMAIL}, "invalid_request"),
        ({"grant_type": "password", "password": PASSWORD}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"username": EMAIL, "password": PASSWORD}, "invalid_request"),
    ],
)
async def test_the_token_endpoint_refuses_in_its_own_format(
    auth: Auth, client: Client, form: dict[str, str], error: str
) -> None:
    await register(auth)

    answer = await grant(client, **form)

    assert (answer.status, answer.json.keys()) == (400, {"error", "error_description"})
    assert answer.json["error"] == error
    assert answer.header("content-type") == "application/json"


async def test_the_token_endpoint_reads_no_json(client: Client) -> None:
    answer = await client.post("/auth/token", {"grant_type": "password", "username": EMAIL, "password": PASSWORD})

    assert (answer.status, answer.json["error"]) == (415, "invalid_request")


# Changing the password


async def test_a_changed_password_ends_the_other_sessions_and_not_this_one(auth: Auth, client: Client) -> None:
    await register(auth)
    here, there = await login(auth), await login(auth)

    answer = await change_password(client, here, NEW)

    assert (answer.status, answer.body) == (204, b"")
    assert (await auth.authenticate(str(here.access_token))).is_authenticated
    assert await auth.refresh(str(here.refresh_token))
    with pytest.raises(TokenRevokedError):
        await auth.authenticate(str(there.access_token))
    with pytest.raises(TokenRevokedError):
        await auth.refresh(str(there.refresh_token))
    assert (await client.post("/auth/login", ACCOUNT)).status == 401
    assert (await login(auth, password=NEW)).access_token


@pytest.mark.parametrize("new", [NEW, "short"])
async def test_a_change_wants_the_current_password(auth: Auth, client: Client, new: str) -> None:
    await register(auth)

    answer = await change_password(client, await login(auth), new, current="wrong password")

    assert (answer.status, answer.json["code"]) == (401, "invalid_credentials")
    assert await login(auth)


@pytest.mark.parametrize("new", [PASSWORD, "short", "password123", "ada@example.com", ""])
async def test_a_new_password_that_is_the_old_one_or_against_the_policy_changes_nothing(
    auth: Auth, client: Client, new: str
) -> None:
    await register(auth)
    pair, other = await login(auth), await login(auth)

    answer = await change_password(client, pair, new)

    assert (answer.status, answer.json["errors"].keys()) == (422, {"new_password"})
    assert (await auth.authenticate(str(other.access_token))).is_authenticated
    assert await login(auth)


async def test_a_change_wants_a_login(client: Client) -> None:
    answer = await client.post("/auth/change-password", {"current_password": PASSWORD, "new_password": NEW})

    assert answer.status == 401


async def test_of_racing_changes_one_wins(auth: Auth, client: Client) -> None:
    await register(auth)
    pair = await login(auth)

    answers = await asyncio.gather(*(change_password(client, pair, f"{NEW} {number}") for number in range(6)))

    assert sorted(answer.status for answer in answers) == [204] + [401] * 5
    winner = next(number for number, answer in enumerate(answers) if answer.status == 204)
    assert await login(auth, password=f"{NEW} {winner}")
    with pytest.raises(InvalidCredentialsError):
        await login(auth)


@pytest.mark.parametrize("takes_effect", [True, False])
async def test_a_commit_without_an_answer_is_looked_up(
    auth: Auth,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    takes_effect: bool,  # noqa: FBT001
) -> None:
    await register(auth)
    pair = await login(auth)
    real = auth.storage.transaction

    @asynccontextmanager
    async def lost() -> AsyncIterator[Any]:
        with suppress(ZeroDivisionError):
            async with real() as storage:
                yield storage
                if not takes_effect:
                    raise ZeroDivisionError
        raise StorageUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(auth.storage, "transaction", lost)
        answer = await change_password(client, pair, "another battery staple")

    assert answer.status == (204 if takes_effect else 503)
    assert await login(auth, password="another battery staple" if takes_effect else PASSWORD)
