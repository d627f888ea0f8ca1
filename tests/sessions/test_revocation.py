"""Revocation without a query per request: fresh across processes, and never wrong when the news is cut off."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from msgspec.structs import replace

from asgi_auth import Auth, AuthMiddleware, Sessions
from asgi_auth.errors import InvalidTokenError, StorageUnavailableError, TokenRevokedError
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.revocations import Changes
from asgi_auth.storage.sqlite import SQLite
from tests.postgres import Server
from tests.storage.conftest import FILES_AND_SERVERS, SERVERS, Servers
from tests.support import EMAIL, PASSWORD, Client, Clock, bearer, login, make_auth, register, who

Fresh = Callable[[str], str]
LAG = 0.5


@pytest.fixture(params=FILES_AND_SERVERS)
def url(request: pytest.FixtureRequest, fresh: Fresh) -> str:
    return fresh(request.param)


@asynccontextmanager
async def two(url: str, **settings: Any) -> AsyncIterator[tuple[Auth, Auth]]:
    """Two processes' worth of `Auth` on one database: they share nothing in memory."""
    async with make_auth(url, **settings) as here, make_auth(url, **settings) as there:
        yield here, there


async def eventually(holds: Callable[[], Awaitable[bool]], seconds: float = 2.0) -> bool:
    """Ask until it holds, or the time is over."""
    end = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.005)
    return True


async def refuses(auth: Auth, pair: TokenPair) -> bool:
    try:
        await auth.authenticate(str(pair.access_token))
    except TokenRevokedError:
        return True
    return False


async def test_a_logout_reaches_the_other_process(url: str) -> None:
    async with two(url) as (here, there):
        user_id = await register(here)
        first, second = await login(here), await login(here)
        identity = await there.authenticate(str(first.access_token))

        await here[Sessions].logout(identity=identity)

        assert await refuses(here, first)
        assert await eventually(lambda: refuses(there, first))
        assert (await there.authenticate(str(second.access_token))).id == user_id


async def test_disabling_a_user_reaches_the_other_process(url: str) -> None:
    async with two(url) as (here, there):
        user_id = await register(here)
        pair = await login(here)
        await there.authenticate(str(pair.access_token))

        await here.users.set_status(user_id, "disabled")

        assert await eventually(lambda: refuses(there, pair))


async def test_a_changed_role_reaches_tokens_that_are_out(url: str) -> None:
    async with two(url) as (here, there):
        user_id = await register(here)
        pair = await login(here)

        await here.users.set_roles(user_id, ["admin"])

        async def is_admin() -> bool:
            return (await there.authenticate(str(pair.access_token))).roles == ("admin",)

        assert (await here.authenticate(str(pair.access_token))).roles == ("admin",)
        assert await eventually(is_admin)


async def test_the_oldest_session_over_the_limit_ends_everywhere(url: str) -> None:
    async with two(url, max_sessions=1) as (here, there):
        await register(here)
        oldest = await login(here)
        await there.authenticate(str(oldest.access_token))

        await login(there)

        assert await eventually(lambda: refuses(here, oldest))


async def test_a_restart_forgets_no_revocation(url: str) -> None:
    async with make_auth(url) as before:
        await register(before)
        pair = await login(before)
        await before.end_sessions((await before.authenticate(str(pair.access_token))).id)

    async with make_auth(url) as after:
        assert await refuses(after, pair)


async def test_without_news_the_database_is_asked_for_the_session(url: str) -> None:
    async with two(url, max_revocation_lag=0.1) as (here, there):
        await register(here)
        ended, alive = await login(here), await login(here)
        identity = await there.authenticate(str(ended.access_token))

        async def is_cached() -> bool:
            return there.verifier.cached(str(ended.access_token), "bearer") is not None

        assert await eventually(is_cached)
        await _silence(there)

        await here.end_sessions(identity.id, only=identity.session_id)

        assert there.verifier.cached(str(ended.access_token), "bearer") is None
        assert await refuses(there, ended)
        assert not await refuses(there, alive)


async def test_strict_asks_on_every_request(url: str) -> None:
    async with two(url, revocation="strict") as (here, there):
        user_id = await register(here)
        pair = await login(here)
        await there.authenticate(str(pair.access_token))
        assert there.verifier.cached(str(pair.access_token), "bearer") is None
        await _silence(there)

        await here.users.set_roles(user_id, ["admin"])
        roles = (await there.authenticate(str(pair.access_token))).roles
        await here.end_sessions(user_id)

        assert roles == ("admin",)
        assert await refuses(there, pair)


@pytest.mark.parametrize("name", SERVERS)
async def test_with_the_listener_cut_the_regular_look_remains(name: str, servers: Servers, fresh: Fresh) -> None:
    async with two(fresh(name), max_revocation_lag=LAG) as (here, there):
        await register(here)
        pair = await login(here)
        identity = await there.authenticate(str(pair.access_token))

        servers.get(name).sql("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'")
        await here.end_sessions(identity.id)

        assert await eventually(lambda: refuses(there, pair), 2 * LAG)


@pytest.mark.parametrize("version", [15, 18], ids=SERVERS)
async def test_with_the_database_away_a_good_token_is_never_a_401(version: int) -> None:
    server = Server(version)
    try:
        async with make_auth(server.database(), max_revocation_lag=LAG) as auth:
            client = Client(AuthMiddleware(who, auth, mount="/auth"))
            await register(auth)
            pair = await login(auth)
            server.kill()

            statuses = await _statuses(client, pair, seconds=3 * LAG)
            refused = await client.get("/", headers=bearer(pair))
            anonymous = await client.get("/")
            login_refused = await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD})
            server.start()

            assert set(statuses) == {200, 503}
            assert statuses == sorted(statuses)
            assert (refused.status, refused.header("retry-after")) == (503, "2")
            assert (login_refused.status, login_refused.json["code"]) == (503, "storage_unavailable")
            assert anonymous.status == 200

            async def answers_again() -> bool:
                return (await client.get("/", headers=bearer(pair))).status == 200

            assert await eventually(answers_again, 10)
    finally:
        server.close()


async def test_a_host_starts_without_its_database_and_recovers() -> None:
    server = Server(15)
    url = server.database()
    server.kill()
    try:
        auth = make_auth(url)
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        await auth.start(reachable=False)
        away = await client.post("/auth/register", {"email": EMAIL, "password": PASSWORD})
        server.start()
        back = await client.post("/auth/register", {"email": EMAIL, "password": PASSWORD})
        await auth.close()

        assert (away.status, back.status) == (503, 201)
    finally:
        server.close()


async def test_what_no_living_token_can_have_is_forgotten() -> None:
    clock = Clock()
    async with make_auth(clock=clock) as auth:
        user_id = await register(auth)
        await login(auth)
        await auth.end_sessions(user_id)
        await auth.users.set_roles(user_id, ["admin"])
        known = len(auth.revocation.dead), len(auth.revocation.roles)

        clock.move(auth.settings.access_ttl + 60)
        await auth.revocation.sync()

        assert known == (1, 1)
        assert (len(auth.revocation.dead), len(auth.revocation.roles)) == (0, 0)


async def test_a_clock_that_was_ahead_somewhere_keeps_nothing_from_being_forgotten() -> None:
    clock = Clock()

    class Ahead(SQLite):
        async def changes_since(self, since: int, after: str = "") -> Changes:
            found = await super().changes_since(since, after)
            return replace(found, sessions=[("odd", int(clock()) + 10**7), *found.sessions])

    async with make_auth(Ahead(), clock=clock) as auth:
        await auth.revocation.sync()
        for number in range(50):
            clock.move(60)
            auth.revocation.end([f"session {number}"])
            await auth.revocation.sync()

        assert len(auth.revocation.dead) < 25


async def test_looking_goes_on_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    async with make_auth(max_revocation_lag=0.1) as auth:
        user_id = await register(auth)
        pair = await login(auth)
        look, errors = auth.storage.changes_since, [StorageUnavailableError(), RuntimeError("a driver's bug")]

        async def failing(since: int, after: str = "") -> Changes:
            if errors:
                raise errors.pop()
            return await look(since, after)

        auth.storage.changes_since = failing  # type: ignore[method-assign]

        async def looked_again() -> bool:
            return not errors and auth.revocation.is_fresh()

        assert await eventually(looked_again)
        assert (await auth.authenticate(str(pair.access_token))).id == user_id
        assert "cannot read revoked sessions" in caplog.text


async def test_a_forged_session_of_a_good_key_is_unknown_to_the_database() -> None:
    async with make_auth(revocation="strict") as auth:
        await register(auth)
        pair = await login(auth)
        await auth.storage.purge(2**40, 100)

        with pytest.raises(InvalidTokenError):
            await auth.authenticate(str(pair.access_token))


async def _silence(auth: Auth) -> None:
    """Stop the looking, and wait until what is known is too old."""
    run = auth._lifecycle._runs.get()
    assert run is not None
    assert run.follower is not None
    run.follower.cancel()
    with suppress(asyncio.CancelledError):
        await run.follower
    assert await eventually(_is_old(auth))


def _is_old(auth: Auth) -> Callable[[], Awaitable[bool]]:
    async def is_old() -> bool:
        return not auth.revocation.is_fresh()

    return is_old


async def _statuses(client: Client, pair: TokenPair, seconds: float) -> list[int]:
    end = time.monotonic() + seconds
    statuses = []
    while time.monotonic() < end:
        statuses.append((await client.get("/", headers=bearer(pair))).status)
        await asyncio.sleep(0.01)
    return statuses
