"""A refresh that was not answered is no theft; a token that comes again after its successor was used is one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import pytest

from asgi_auth import Auth, AuthMiddleware, Passwords, Sessions
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.errors import AuthError, StorageUnavailableError, TokenExpiredError, TokenReuseError
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import User
from asgi_auth.storage.statements.sessions import USE_GENERATION
from tests.features.test_refresh import Listener
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import ORIGIN, Client, Clock, CountingStorage, bearer, login, make_auth, register, who

HOUR, DAY = 3600, 86400
COOKIE = {"auth-transport": "cookie", "origin": ORIGIN}
Fresh = Callable[[str], str]


@pytest.fixture(params=FILES_AND_SERVERS)
def url(request: pytest.FixtureRequest, fresh: Fresh) -> str:
    return fresh(request.param)


@asynccontextmanager
async def processes(url: str, clock: Clock, number: int) -> AsyncIterator[list[Auth]]:
    """As many processes' worth of `Auth` on one database: they share nothing in memory."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(make_auth(url, clock=clock)) for _ in range(number)]


async def lose(auth: Auth, token: str) -> None:
    """Refresh, and lose the answer: the connection breaks after the commit."""
    rotate = auth.storage.rotate_session

    async def cut(*arguments: Any, **options: Any) -> None:
        await rotate(*arguments, **options)
        raise StorageUnavailableError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth.storage, "rotate_session", cut)
        with pytest.raises(StorageUnavailableError):
            await auth.refresh(token)


async def outcome(auth: Auth, token: str) -> type[AuthError] | str:
    """The successor's refresh token, or the kind of the refusal."""
    try:
        return (await auth.refresh(token)).refresh_token
    except AuthError as error:
        return type(error)


@pytest.mark.parametrize("seconds", [10, 11, 300, HOUR, DAY])
async def test_a_lost_answer_is_given_again_for_a_day(clock: Clock, seconds: int) -> None:
    listener = Listener()
    async with make_auth(clock=clock, features=[listener, Passwords(argon2=Argon2.cheap()), Sessions()]) as auth:
        await register(auth)
        pair = await login(auth)
        await lose(auth, pair.refresh_token)
        clock.move(seconds)

        second = await auth.refresh(pair.refresh_token)
        third = await auth.refresh(pair.refresh_token)

        assert second.refresh_token == third.refresh_token != pair.refresh_token
        assert (await auth.authenticate(second.access_token)).session_id
        assert await auth.refresh(second.refresh_token)
        assert listener.names.count("refresh_repeated") == (2 if seconds > 10 else 0)
        assert "token_reuse" not in listener.names


async def test_after_a_day_the_old_token_has_expired_and_the_session_lives_on(auth: Auth, clock: Clock) -> None:
    await register(auth)
    pair = await login(auth)
    successor = await auth.refresh(pair.refresh_token)
    clock.move(2 * DAY)

    assert await outcome(auth, pair.refresh_token) is TokenExpiredError
    assert await auth.refresh(successor.refresh_token)


async def test_the_hosts_claims_come_before_the_rotation(clock: Clock) -> None:
    broken = False

    def claims(user: User) -> dict[str, str]:
        if broken:
            raise ConnectionError
        return {"address": user.email}

    async with make_auth(clock=clock, claims=claims) as auth:
        await register(auth)
        pair = await login(auth)
        broken = True
        for _ in range(3):
            with pytest.raises(ConnectionError):
                await auth.refresh(pair.refresh_token)
        broken = False
        session = await auth.session_of(pair.refresh_token)
        assert session is not None
        assert session.generation == 0
        clock.move(3 * DAY)

        second = await auth.refresh(pair.refresh_token)

        assert (await auth.authenticate(second.access_token)).claims["address"] == "ada@example.com"


async def test_claims_that_no_token_can_hold_rotate_nothing(clock: Clock) -> None:
    size = 1
    async with make_auth(clock=clock, claims=lambda _: {"x": "x" * size}) as auth:
        await register(auth)
        pair = await login(auth)
        size = 9000

        with pytest.raises(ValueError, match="add fewer claims"):
            await auth.refresh(pair.refresh_token)

        session = await auth.session_of(pair.refresh_token)
        assert session is not None
        assert session.generation == 0


async def test_a_refresh_that_is_cancelled_at_any_moment_is_no_theft(clock: Clock, fresh: Fresh) -> None:
    async with make_auth(fresh("sqlite file"), clock=clock) as auth:
        await register(auth)
        pair = await login(auth)
        token = pair.refresh_token
        for steps in range(12):
            call = asyncio.create_task(auth.refresh(token))
            for _ in range(steps):
                await asyncio.sleep(0.0005)
            call.cancel()
            with suppress(asyncio.CancelledError):
                await call
            clock.move(60)

            again = await auth.refresh(token)

            assert await auth.authenticate(again.access_token)
            token = again.refresh_token


async def test_an_access_token_of_the_successor_in_any_process_shows_that_it_was_received(
    clock: Clock, url: str
) -> None:
    async with processes(url, clock, 4) as (first, second, third, fourth):
        await register(first)
        pair = await login(first)
        successor = await second.refresh(pair.refresh_token)
        clock.move(60)
        assert await outcome(third, pair.refresh_token) == successor.refresh_token
        await third.authenticate(successor.access_token)

        assert await outcome(fourth, pair.refresh_token) is TokenReuseError
        assert await outcome(first, successor.refresh_token) != successor.refresh_token


async def test_a_silent_renewal_with_the_successor_shows_that_it_was_received(clock: Clock, url: str) -> None:
    async with processes(url, clock, 2) as (here, there):
        await register(here)
        pair = await login(here)
        successor = await here.refresh(pair.refresh_token)
        await there.refresh(successor.refresh_token, rotate=False)
        clock.move(60)

        assert await outcome(here, pair.refresh_token) is TokenReuseError


async def test_two_generations_behind_is_a_copy_however_late_and_wherever(clock: Clock, url: str) -> None:
    for seconds in (0, 60, 2 * DAY):
        async with processes(url, clock, 2) as (here, there):
            await register(here, f"u{seconds}@example.com")
            pair = await login(here, f"u{seconds}@example.com")
            second = await here.refresh(pair.refresh_token)
            await there.refresh(second.refresh_token)
            clock.move(seconds)

            assert await outcome(there, pair.refresh_token) is TokenReuseError


async def test_a_renewed_cookie_that_never_arrived_shows_nothing(auth: Auth, clock: Clock) -> None:
    """The library verifies the token that it has just made; the browser does not have it yet."""
    await register(auth)
    client = Client(AuthMiddleware(who, auth, mount="/auth"), headers=COOKIE)
    entered = await client.post("/auth/login", {"email": "ada@example.com", "password": "correct horse battery"})
    cookies = entered.cookies
    await lose(auth, cookies["__Host-auth-refresh"])
    client.cookies = dict(cookies)
    for _ in range(3):
        clock.move(HOUR)

        renewed = await client.get("/")

        assert renewed.json["id"]
        assert renewed.cookies["__Host-auth-refresh"] != cookies["__Host-auth-refresh"]
    client.cookies |= renewed.cookies
    assert (await client.get("/")).json["id"]
    client.cookies = dict(cookies)
    assert (await client.get("/")).json["error"] == "token_reuse"


async def test_a_generation_is_recorded_once_and_a_login_never(clock: Clock) -> None:
    storage = CountingStorage()
    async with make_auth(storage, clock=clock, max_revocation_lag=60) as auth:
        await register(auth)
        pair = await login(auth)
        client = Client(AuthMiddleware(who, auth))
        for _ in range(5):
            assert (await client.get("/", headers=bearer(pair))).json["id"]
        assert USE_GENERATION not in storage.statements
        second = await auth.refresh(pair.refresh_token)
        storage.statements.clear()

        for _ in range(5):
            assert (await client.get("/", headers=bearer(second))).json["id"]
            await auth.authenticate(second.access_token)
            auth.verifier.forget()

        assert storage.statements == [USE_GENERATION]


async def test_a_storage_that_is_away_delays_no_request_and_is_told_later(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asgi_auth.sessions.generations.PAUSES", (0.01,) * 50)
    await register(auth)
    pair = await login(auth)
    second = await auth.refresh(pair.refresh_token)
    use, away = auth.storage.use_generation, True
    recorded = asyncio.Event()

    async def unsteady(session_id: str, generation: int) -> None:
        if away:
            raise StorageUnavailableError
        await use(session_id, generation)
        recorded.set()

    monkeypatch.setattr(auth.storage, "use_generation", unsteady)
    assert await auth.authenticate(second.access_token)
    away = False
    await asyncio.wait_for(recorded.wait(), 10)

    session = await auth.session_of(pair.refresh_token)
    assert session is not None
    assert session.used_generation == 1


async def test_a_storage_that_hangs_delays_a_request_by_little(auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(auth)
    second = await auth.refresh((await login(auth)).refresh_token)

    async def hang(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(auth.storage, "use_generation", hang)

    assert (await asyncio.wait_for(auth.authenticate(second.access_token), 10)).id


THEFTS: dict[str, tuple[list[str], str]] = {
    "the victim refreshes and goes on, then the thief": (["victim", "victim acts", "wait", "thief"], "thief"),
    "the thief refreshes and acts, then the victim": (["thief", "thief acts", "wait", "victim"], "victim"),
    "the thief keeps quiet and the victim goes on": (
        ["thief", "wait", "victim", "victim acts", "wait", "victim", "victim acts", "wait", "thief"],
        "thief",
    ),
    "both within the grace, then one after the other": (
        ["victim", "thief", "victim acts", "thief acts", "wait", "thief", "thief acts", "wait", "victim"],
        "victim",
    ),
}


@pytest.mark.parametrize(("steps", "caught"), THEFTS.values(), ids=THEFTS.keys())
async def test_a_thief_and_a_victim_do_not_both_go_on(auth: Auth, clock: Clock, steps: list[str], caught: str) -> None:
    """Both begin with the same refresh token. The second client with a token whose successor was used ends it."""
    await register(auth)
    pairs: dict[str, TokenPair] = dict.fromkeys(("victim", "thief"), await login(auth))
    clock.move(60)
    for step in steps[:-1]:
        who_acts, _, action = step.partition(" ")
        if step == "wait":
            clock.move(60)
        elif action:
            await auth.authenticate(pairs[who_acts].access_token)
        else:
            pairs[who_acts] = await auth.refresh(pairs[who_acts].refresh_token)

    assert steps[-1] == caught
    assert await outcome(auth, pairs[caught].refresh_token) is TokenReuseError
    for pair in pairs.values():
        assert isinstance(await outcome(auth, pair.refresh_token), type)
