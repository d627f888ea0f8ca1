"""Revocation of tokens (RFC 7009): each holder of one ends its session, all other texts change nothing."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from asgi_auth import Auth, AuthApp, AuthMiddleware, Passwords, RateLimits, Revocation, Sessions
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.errors import StorageUnavailableError, TokenRevokedError
from asgi_auth.feature import Event
from tests.support import Answer, Client, Clock, CountingStorage, login, make_auth, register, who

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def auth() -> AsyncIterator[Auth]:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Revocation()]
    async with make_auth(CountingStorage(), features=features, clock=Clock()) as made:
        await register(made)
        yield made


async def revoke(auth: Auth, body: str | dict[str, str], **headers: str) -> Answer:
    client = Client(AuthMiddleware(who, auth, mount="/auth"))
    text = body if isinstance(body, str) else urlencode(body)
    return await client.post("/auth/revoke", body=text.encode(), headers=FORM | headers)


async def is_alive(auth: Auth, token: str) -> bool:
    try:
        return (await auth.authenticate(token)).is_authenticated
    except TokenRevokedError:
        return False


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_either_token_ends_its_session_and_no_other_at_once(auth: Auth, kind: str) -> None:
    ended: list[Event] = []
    auth.on("session_end", ended.append)
    pair, other = await login(auth), await login(auth)

    answer = await revoke(auth, {"token": getattr(pair, kind), "token_type_hint": "rubbish", "unknown": "1"})
    again = await revoke(auth, {"token": getattr(pair, kind)})

    assert (answer.status, answer.body, again.status) == (200, b"", 200)
    assert [await is_alive(auth, item.access_token) for item in (pair, other)] == [False, True]
    assert len(ended) == 1


async def test_a_refresh_token_that_was_used_ends_its_session_as_well(auth: Auth) -> None:
    first = await login(auth)
    second = await auth.refresh(first.refresh_token)

    await revoke(auth, {"token": first.refresh_token})

    assert not await is_alive(auth, second.access_token)


async def test_rubbish_is_no_error_and_costs_no_query(auth: Auth) -> None:
    pair = await login(auth)
    head, body, mac = pair.access_token.split(".")
    session, generation, _ = pair.refresh_token.split(".")
    forged = [
        f"{head}.{body}.{mac[:-4]}AAAA",
        f"{session}.{generation}.{'A' * 43}",
        "x",
        "x.y.z",
        "é\u2028",
        "a" * 9000,
    ]
    storage = auth.storage
    assert isinstance(storage, CountingStorage)
    storage.statements.clear()

    answers = [await revoke(auth, {"token": text}) for text in forged]

    assert {(answer.status, answer.body) for answer in answers} == {(200, b"")}
    assert await is_alive(auth, pair.access_token)
    assert storage.statements == []


async def test_an_access_token_that_has_expired_ends_nothing(auth: Auth) -> None:
    pair = await login(auth)
    assert isinstance(auth.now, Clock)
    auth.now.move(auth.settings.access_ttl + auth.settings.leeway + 1)

    answer = await revoke(auth, {"token": pair.access_token})

    assert answer.status == 200
    assert (await auth.refresh(pair.refresh_token)).access_token


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [("", 400, "invalid_request"), ("token=", 400, "invalid_request"), ("token=a&token=b", 400, "invalid_request"),
     ("token=a&x=1&x=2", 400, "invalid_request"), ("token=%ff", 400, "invalid_request")],
)  # fmt: skip
async def test_a_request_that_cannot_be_read_is_refused(auth: Auth, body: str, status: int, error: str) -> None:
    answer = await revoke(auth, body, origin="https://spa.example.net")

    assert (answer.status, answer.json["error"]) == (status, error)
    assert answer.header("access-control-allow-origin") == "*"


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_what_could_not_be_done_is_said(auth: Auth, kind: str) -> None:
    pair = await login(auth)
    storage = auth.storage
    assert isinstance(storage, CountingStorage)

    async def away(_: str) -> None:
        await asyncio.sleep(0)
        raise StorageUnavailableError

    storage.before = away
    answer = await revoke(auth, {"token": getattr(pair, kind)})
    storage.before = None

    assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable")
    assert answer.header("retry-after") == "2"
    assert await is_alive(auth, pair.access_token)


async def test_scripts_of_every_site_may_call_it_whatever_credentials_go_along(auth: Auth) -> None:
    pair, own = await login(auth), await login(auth)
    noise = {"origin": "https://spa.example.net", "sec-fetch-site": "cross-site", "authorization": "Basic eDp5"}

    client = Client(AuthApp(auth), headers=FORM | noise, cookies={"__Host-auth": own.access_token})

    answer = await client.post("/revoke", body=urlencode({"token": pair.access_token}).encode())

    assert (answer.status, answer.header("access-control-allow-origin")) == (200, "*")
    assert answer.header("access-control-allow-credentials") is None
    assert [await is_alive(auth, item.access_token) for item in (pair, own)] == [False, True]


async def test_callers_are_limited() -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Revocation(), RateLimits({"revoke": "2/m/ip"})]
    async with make_auth(features=features) as limited:
        answers = [await revoke(limited, {"token": "x"}) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
