"""More writes than a locked SQLite file takes: all are refused in time, and what is refused is not done."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asgi_auth.bounds.deadline import Deadline
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW, a_user
from tests.storage.conftest import opened, outcomes, refused

Fresh = Callable[[str], str]
POSTGRES = "postgres18"
POOLED = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pooled'"


@pytest.mark.parametrize("driver", ["sqlite", "databases-sqlite"])
async def test_a_locked_file_bounds_all_who_wait(
    driver: str, fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(driver, fresh(driver), timeout=0.5) as storage:
        other = sqlite3.connect(tmp_path / "auth.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        # Without a bound, they would wait for the lock for ever.
        good, refusals, _ = await outcomes([storage.count(f"key{number}", NOW, 60) for number in range(400)])

        assert (good, refusals) == (0, 400)
        # By now, one call waits for the lock, and the others are refused without a wait for it.
        waits = watched(storage, monkeypatch)
        _, refusals, _ = await outcomes([storage.count(f"key{number}", NOW, 60) for number in range(200)])
        assert refusals == 200
        assert max(waits) == 1
        assert len(waits) < 200
        other.execute("ROLLBACK")
        other.close()
        # Calls may be refused until one of them has its answer; then none is.
        while await storage_refuses(storage):
            pass
        # What was refused was not done.
        assert (await storage.count("key1", NOW, 60)).count == 1


def watched(storage: SQLStorage, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of calls that wait for the lock, at the beginning of each wait."""
    group, numbers, waiting = storage._driver._state_of_loop().group, list[int](), set[object]()  # type: ignore[attr-defined]
    run = group.run

    async def noted(*values: Any) -> Any:
        waiting.add(mark := object())
        numbers.append(len(waiting))
        try:
            return await run(*values)
        finally:
            waiting.discard(mark)

    monkeypatch.setattr(group, "run", noted)
    return numbers


async def storage_refuses(storage: SQLStorage) -> bool:
    """Whether the storage still refuses calls."""
    return (await outcomes([storage.count(f"other{number}", NOW, 60) for number in range(20)]))[1] > 0


async def test_a_write_in_sqlite_that_is_refused_does_not_run_later(fresh: Fresh, tmp_path: Path) -> None:
    async with opened("sqlite", fresh("sqlite"), timeout=5) as storage:
        other = sqlite3.connect(tmp_path / "auth.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        async def late() -> None:
            with Deadline(0.2):
                await storage.add_user(a_user())

        waiting = asyncio.create_task(storage.add_user(a_user(2)))
        await refused(late, 1)
        other.execute("ROLLBACK")
        other.close()

        assert await waiting
        assert await storage.user("user-1") is None


async def test_a_transaction_in_sqlite_is_bounded_by_its_request(fresh: Fresh) -> None:
    async with opened("sqlite", fresh("sqlite")) as storage:

        async def linger() -> None:
            with Deadline(0.2):
                async with storage.transaction() as inside:
                    await inside.add_user(a_user())
                    await asyncio.sleep(60)

        await refused(linger, 2)

        assert await storage.user("user-1") is None
        assert await storage.add_user(a_user())


async def test_requests_that_have_written_go_before_new_ones(fresh: Fresh) -> None:
    async with opened("sqlite", fresh("sqlite")) as storage:
        order: list[str] = []

        async def write(name: str) -> None:
            await storage.count(name, NOW, 60)
            order.append(name)

        with Deadline(60):
            await storage.count("first", NOW, 60)
            async with storage.transaction():
                begun = asyncio.create_task(write("begun"))
                begun_first = len(order)
                await asyncio.sleep(0)
        new = [asyncio.create_task(write("new")) for _ in range(3)]
        await asyncio.gather(begun, *new)

        assert begun_first == 0
        assert order[0] == "begun"
