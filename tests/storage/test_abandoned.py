"""Calls that are given up while the server works on: their connections count until the server is rid of them."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from asgi_auth.errors import StorageSetupError, StorageUnavailableError
from asgi_auth.storage import postgres_abandoned
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.postgres_abandoned import Abandoned
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW, a_user, added, at_once
from tests.faultproxy import FaultProxy
from tests.postgres import Server
from tests.storage.test_hosts import url as url_of

MOST = 8
KILL = "select count(pg_terminate_backend(pid)) from pg_stat_activity"
BACKENDS = "select count(*) from pg_stat_activity where application_name = 'raced'"
SLEEPING = "select count(*) from pg_stat_activity where query = 'select pg_sleep(30)'"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server whose commits may be made to wait."""
    own = Server(15)
    yield own
    own.close()


@pytest.fixture
def hung(server: Server) -> Iterator[Callable[[str], None]]:
    """Let commits wait for a standby that does not exist, or let them end."""

    def change(standby: str) -> None:
        server.sql(f"alter system set synchronous_standby_names = '{standby}'")
        server.sql("select pg_reload_conf()")
        # The server reads its settings a moment later.
        while server.sql("show synchronous_standby_names") != standby:
            pass

    yield change
    change("")


@asynccontextmanager
async def opened(server: Server, *, port: int | None = None, **options: Any) -> AsyncIterator[SQLStorage]:
    database = server.database().rpartition("/")[2]
    storage = Postgres(url_of(port or server.port, database=database), **{"timeout": 1.0, "max_size": MOST, **options})
    await storage.open()
    async with asyncio.timeout(30):
        while not await migrated(storage):
            pass
    await added(storage)
    yield storage
    await storage.close()


async def migrated(storage: SQLStorage) -> bool:
    """Migrate; a loaded machine may need more than the short time of these storages."""
    with suppress(StorageUnavailableError):
        await storage.migrate(NOW)
        return True
    return False


async def backends(server: Server) -> int:
    return int(await asyncio.to_thread(server.sql, BACKENDS))


async def kept_at(server: Server, number: int, seconds: float = 15) -> None:
    """Wait until the server has so many of our connections at most."""
    async with asyncio.timeout(seconds):
        while await backends(server) > number:  # noqa: ASYNC110 (other processes end)
            await asyncio.sleep(0.05)


async def is_refused(call: Any) -> bool:
    with suppress(StorageUnavailableError):
        await call
        return False
    return True


async def is_missing(storage: SQLStorage, user_id: str) -> bool:
    return await storage.user(user_id) is None


async def is_held(pool: Any) -> bool:
    return len(pool._abandoned) > 0


async def soon(still: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is over."""
    async with asyncio.timeout(20):
        while await still():  # noqa: ASYNC110 (servers and tasks of the pool end)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("most", [1, 2, MOST])
async def test_commits_that_hang_never_take_more_connections_than_there_may_be(
    most: int, server: Server, hung: Callable[[str], None]
) -> None:
    async with opened(server, max_size=most) as storage:
        await asyncio.to_thread(hung, "nobody")
        numbers, counts, end = iter(range(10, 10_000)), list[int](), time.monotonic() + 6
        while time.monotonic() < end:
            await at_once(lambda _: is_refused(storage.add_user(a_user(next(numbers)))), 12)
            await is_refused(storage.count("key", NOW, 60))
            counts.append(await backends(server))
            await asyncio.sleep(0.1)
        # One more asks the server which of them are left, if all others are in use.
        assert max(counts) <= most + (most < MOST)
        assert max(counts) >= min(most, MOST - 2)
        if most == MOST:
            assert [user and user.id for user in await at_once(lambda _: storage.user("user-1"), 20)] == ["user-1"] * 20
            began = time.monotonic()
            assert await is_refused(storage.add_user(a_user(3)))
            assert time.monotonic() - began < storage.timeout, "refused at once, not at the end of its time"

        await asyncio.to_thread(hung, "")
        await soon(lambda: is_refused(storage.count("other", NOW, 60)))
        assert await storage.user("user-1")


async def test_a_commit_that_was_given_up_is_not_shown_before_a_standby_has_it(
    server: Server, hung: Callable[[str], None]
) -> None:
    """A cancelled wait would show it; after a failover it would be gone."""
    async with opened(server) as storage:
        await asyncio.to_thread(hung, "nobody")
        assert all(
            await asyncio.gather(is_refused(storage.count("key", NOW, 60)), is_refused(storage.add_user(a_user(2))))
        )
        await asyncio.sleep(1)

        assert await storage.user("user-2") is None
        assert not await storage.run("SELECT 1 FROM auth_counters", {}, read=True)
        await asyncio.to_thread(hung, "")
        await soon(lambda: is_missing(storage, "user-2"))
        assert len(await storage.run("SELECT 1 FROM auth_counters", {}, read=True)) == 1


@pytest.mark.parametrize("kind", ["read", "transaction"])
async def test_statements_that_are_given_up_are_cancelled_in_the_server(kind: str, server: Server) -> None:
    async with opened(server) as storage:

        async def slow() -> None:
            if kind == "read":
                await storage.run("SELECT pg_sleep(100)", {}, read=True)
            async with storage.transaction() as inside:
                await inside.run("SELECT pg_sleep(100)", {})

        assert all(await at_once(lambda _: is_refused(slow()), 3))
        await kept_at(server, 1)

        assert await storage.user("user-1")


async def test_behind_a_network_that_was_cut_the_server_tells_which_connections_it_is_rid_of(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy keeps the old connections open and passes nothing on; the server ends them unheard."""
    monkeypatch.setattr(postgres_abandoned, "TO_CLOSE", 0.3)
    async with FaultProxy(server.port) as proxy, opened(server, port=proxy.port, max_size=2) as storage:
        proxy.pause()
        proxy.mute = True
        assert all(await at_once(lambda _: is_refused(storage.user("user-1")), 4))
        pool: Any = storage._driver._state_of_loop().pool  # type: ignore[attr-defined]
        held = len(pool._abandoned)
        await asyncio.sleep(1)

        assert 0 < held == len(pool._abandoned), "while no server can be asked, all keep their places"
        await asyncio.to_thread(server.sql, f"{KILL} where application_name = 'raced'")
        proxy.forget()
        await soon(lambda: is_refused(storage.user("user-1")))
        await soon(lambda: is_held(pool))


async def test_what_cannot_be_asked_about_is_given_up_after_its_time(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgres_abandoned, "TO_CLOSE", 0.2)
    monkeypatch.setattr(postgres_abandoned, "GIVE_UP", 1.0)
    async with FaultProxy(server.port) as proxy, opened(server, port=proxy.port, max_size=2) as storage:
        proxy.pause()
        await at_once(lambda _: is_refused(storage.user("user-1")), 2)
        pool: Any = storage._driver._state_of_loop().pool  # type: ignore[attr-defined]
        assert await is_held(pool)
        await soon(lambda: is_held(pool))

        assert "is given up" in caplog.text
        assert not pool._open
        proxy.resume()


@pytest.mark.parametrize("error", [StorageUnavailableError(), StorageSetupError("no such role"), OSError()])
async def test_a_question_that_is_refused_is_asked_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool refuses it while it waits for a connection, if the server becomes silent."""
    monkeypatch.setattr(postgres_abandoned, "ASK", 0.01)
    answers: list[Any] = [error, {7}, set()]

    class Connection:
        get_server_pid = staticmethod(lambda: 7)
        terminate = staticmethod(lambda: None)

        async def close(self, timeout: float) -> None:  # noqa: ASYNC109 (as that of asyncpg)
            await asyncio.sleep(timeout + 60)

    async def living(_: Mapping[int, float]) -> set[int]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return set(answer)

    freed: list[Any] = []
    abandoned, connection = Abandoned(living, freed.append), Connection()
    abandoned.add(connection, time.monotonic(), None)
    async with asyncio.timeout(20):
        while not freed:  # noqa: ASYNC110 (a task asks)
            await asyncio.sleep(0.01)

    assert (freed, len(abandoned), answers) == ([connection], 0, [])


def test_a_loop_that_ends_leaves_no_task_of_an_abandoned_connection(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """`asyncio.run` cancels all tasks, and awaits none that begins meanwhile."""
    storage: Any = Postgres(server.database())

    async def main() -> "asyncio.Task[Any]":
        await storage.open()
        reading = asyncio.create_task(storage._driver.read("select pg_sleep(30)", {}))
        async with asyncio.timeout(15):
            while not int(await asyncio.to_thread(server.sql, SLEEPING)):
                pass
        return reading

    # What connections of other tests have left behind is logged when it is collected.
    gc.collect()
    caplog.clear()
    assert asyncio.run(main()).cancelled()
    gc.collect()
    assert not caplog.records
    server.sql("select count(pg_terminate_backend(pid)) from pg_stat_activity where query like '%pg_sleep(30)'")
