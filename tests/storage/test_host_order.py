"""Two primaries: a process leaves the one that is cut off from its standby, where nothing commits."""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage import postgres_host_order
from asgi_auth.storage.postgres_host_order import HostOrder
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW, a_user
from tests.postgres import Server
from tests.storage.test_hosts import opened, url


@pytest.fixture
def two() -> Iterator[tuple[Server, Server]]:
    """A primary and its standby."""
    primary = Server(15)
    standby = Server(15, primary)
    yield primary, standby
    standby.close()
    primary.close()


async def test_of_two_primaries_the_one_whose_commits_hang_is_left(two: tuple[Server, Server]) -> None:
    cut_off, standby = two
    both = url(cut_off.port, standby.port, attribute="read-write")
    async with opened(both, timeout=30.0) as storage:
        await storage.migrate(NOW)
    async with opened(both, timeout=4.0) as storage:
        assert await storage.add_user(a_user(1))
        await asyncio.to_thread(standby.promote)
        cut_off.sql("alter system set synchronous_standby_names = 'gone'")
        cut_off.sql("select pg_reload_conf()")
        await asyncio.sleep(0.5)
        with pytest.raises(StorageUnavailableError):
            await storage.add_user(a_user(2))

        assert await storage.add_user(a_user(2))
        assert await storage.add_user(a_user(3))
    assert standby.sql("select count(*) from auth_users") == "3"


async def test_of_two_primaries_the_one_whose_commits_hang_is_left_by_reads_too(two: tuple[Server, Server]) -> None:
    cut_off, standby = two
    both = url(cut_off.port, standby.port, attribute="read-write")
    async with opened(both, timeout=30.0) as storage:
        await storage.migrate(NOW)
    async with opened(both, timeout=2.0, max_size=4) as storage:
        async with asyncio.timeout(20):
            while not await is_added(storage, 1):
                pass
        reading = asyncio.create_task(read_on(storage))
        await asyncio.to_thread(standby.promote)
        cut_off.sql("alter system set synchronous_standby_names = 'gone'")
        cut_off.sql("select pg_reload_conf()")
        await asyncio.sleep(0.5)
        assert not await is_added(storage, 2)

        # None of them gets a connection that a read has kept.
        assert await asyncio.gather(*(is_added(storage, number) for number in (3, 4, 5))) == [True, True, True]
        reading.cancel()


async def test_a_process_whose_writes_are_refused_at_once_finds_the_new_primary_although_it_reads(
    two: tuple[Server, Server], caplog: pytest.LogCaptureFixture
) -> None:
    cut_off, standby = two
    both = url(cut_off.port, standby.port, attribute="read-write")
    async with opened(both, timeout=30.0) as storage:
        await storage.migrate(NOW)
    async with opened(both, timeout=1.0, max_size=4) as storage:
        async with asyncio.timeout(20):
            while not await is_added(storage, 1):
                pass
        cut_off.sql("alter system set synchronous_standby_names = 'gone'")
        cut_off.sql("select pg_reload_conf()")
        driver: Any = storage._driver
        pool = driver._state_of_loop().pool
        async with asyncio.timeout(30):
            while len(pool._abandoned) < 3:
                await asyncio.gather(*(is_added(storage, number) for number in (2, 3, 4)))
        await asyncio.to_thread(standby.promote)
        # As after half a minute.
        driver._order._until.clear()
        reading = asyncio.create_task(read_on(storage))

        async with asyncio.timeout(30):
            while not await is_added(storage, 5):  # noqa: ASYNC110 (another server takes it)
                await asyncio.sleep(0.02)
        reading.cancel()
    assert standby.sql("select count(*) from auth_users where id = 'user-5'") == "1"
    del pool, driver, storage
    gc.collect()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def is_added(storage: SQLStorage, number: int) -> bool:
    with suppress(StorageUnavailableError):
        return await storage.add_user(a_user(number)) is not None
    return False


async def read_on(storage: SQLStorage) -> None:
    """Read without a pause, by two calls that never rest at the same time."""

    async def read() -> None:
        while True:
            with suppress(StorageUnavailableError):
                await storage.user("user-1")

    await asyncio.gather(read(), read())


def test_a_host_that_gave_no_answer_is_the_last_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    class Connection:
        """Can be referenced weakly, as those of asyncpg can."""

    order, connection = HostOrder(), Connection()
    hosts = [("a", 1), ("b", 1), ("c", 1)]
    order.connected(connection, ("a", 1))
    order.avoid(Connection())
    assert order.sort(hosts) == hosts

    order.avoid(connection)
    assert order.sort(hosts) == [("b", 1), ("c", 1), ("a", 1)]
    later = time.monotonic() + postgres_host_order.AVOIDED + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert order.sort(hosts) == hosts
