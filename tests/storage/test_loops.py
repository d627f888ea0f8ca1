"""Several event loops, one after another or at once, as test clients and threads make them."""

import asyncio
import gc
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from asgi_auth.storage.sqlite import SQLite
from asgi_auth.testing.records import CALLERS, MIGRATIONS, NOW, a_user, added, at_once
from tests.storage.conftest import FILES_AND_SERVERS, connect

Fresh = Callable[[str], str]
LOOPS = pytest.mark.parametrize("driver", [*FILES_AND_SERVERS, "memory", "databases-sqlite"])
# Python warns of asyncpg's sockets, which cannot be closed once their loop is gone.
NO_WARNINGS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@NO_WARNINGS
@LOOPS
def test_a_loop_that_ended_without_closing_does_no_harm(driver: str, fresh: Fresh) -> None:
    storage = connect(driver, fresh(driver))

    async def use(number: int) -> list[bool]:
        await storage.open()
        await storage.migrate(NOW)
        await storage.add_user(a_user(number))
        return [await storage.user(f"user-{known}") is not None for known in range(3)]

    assert asyncio.run(use(0)) == [True, False, False]
    assert asyncio.run(use(1)) == [True, True, False]

    async def last() -> list[bool]:
        found = await use(2)
        await storage.close()
        return found

    assert asyncio.run(last()) == [True, True, True]
    gc.collect()


@NO_WARNINGS
@LOOPS
def test_loops_in_several_threads_keep_the_contract_together(driver: str, fresh: Fresh) -> None:
    storage = connect(driver, fresh(driver), timeout=20)

    async def count(_: int) -> None:
        async with storage.transaction() as inside:
            user = await inside.update_user("user-1", {}, NOW)
            assert user is not None
            await inside.update_user("user-1", {"data": {"n": user.data["n"] + 1}}, NOW)

    async def run() -> None:
        await storage.open()
        await at_once(count, CALLERS // 4)

    async def main() -> int:
        await storage.open()
        await storage.migrate(NOW)
        await added(storage, data={"n": 0})
        with ThreadPoolExecutor(4) as threads:
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(loop.run_in_executor(threads, lambda: asyncio.run(run())) for _ in range(4)))
        user = await storage.user("user-1")
        await storage.close()
        assert user is not None
        return int(user.data["n"])

    assert asyncio.run(main()) == CALLERS
    gc.collect()


async def test_many_tasks_may_open_at_once(driver: str, fresh: Fresh) -> None:
    storage = connect(driver, fresh(driver))

    await at_once(lambda _: storage.open())

    await storage.migrate(NOW)
    assert await storage.add_user(a_user())
    await storage.close()


async def test_migrating_opens_the_storage_and_needs_no_time(driver: str, fresh: Fresh) -> None:
    storage = connect(driver, fresh(driver))

    assert await storage.migrate() == MIGRATIONS

    assert await storage.migrate() == []
    rows = await storage.run("SELECT applied_at FROM {migrations}", {}, read=True)
    assert all(0 <= time.time() - row["applied_at"] < 60 for row in rows)
    assert await storage.add_user(a_user())
    await storage.close()


async def test_using_a_storage_that_is_not_open_is_a_mistake() -> None:
    storage = connect("sqlite", "sqlite:///never.db")

    with pytest.raises(RuntimeError, match="not open"):
        await storage.user("user-1")


def test_loops_that_open_memory_at_once_share_it() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(30):
            storage, barrier = SQLite(), threading.Barrier(4)

            async def use(number: int, storage: SQLite = storage, barrier: threading.Barrier = barrier) -> int:
                barrier.wait()
                await storage.open()
                await storage.migrate(NOW)
                await storage.add_user(a_user(number))
                barrier.wait()
                found = [await storage.user(f"user-{known}") for known in range(4)]
                barrier.wait()
                await storage.close()
                return sum(user is not None for user in found)

            with ThreadPoolExecutor(4) as threads:
                counts = list(threads.map(lambda number, use=use: asyncio.run(use(number)), range(4)))
            assert counts == [4] * 4
    finally:
        sys.setswitchinterval(interval)
