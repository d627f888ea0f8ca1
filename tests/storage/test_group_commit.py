"""Group commit on SQLite: one COMMIT for all that wait, and an error of one leaves the others whole."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import ConflictError, Connection
from asgi_auth.storage.sqlite import SQLiteDriver

ADD = "INSERT INTO things VALUES (:id)"


@pytest.fixture
async def driver(tmp_path: Path) -> AsyncIterator[SQLiteDriver]:
    driver = SQLiteDriver(str(tmp_path / "group.db"), 1, 4.0)
    await driver.open()
    await driver.write("CREATE TABLE things (id INTEGER PRIMARY KEY)", {})
    yield driver
    await driver.close()


async def things(driver: SQLiteDriver) -> list[int]:
    return [row["id"] for row in await driver.read("SELECT id FROM things ORDER BY id", {})]


def add(driver: SQLiteDriver, *ids: int) -> Awaitable[None]:
    """Insert all in one transaction."""

    async def work(connection: Connection) -> None:
        for each in ids:
            await connection.fetch(ADD, {"id": each})

    return driver.atomically(work)


async def outcomes(*calls: Awaitable[Any]) -> list[Any]:
    """Run them all at once: they wait for the writer together."""
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_transactions_that_wait_share_a_commit(driver: SQLiteDriver) -> None:
    statements: list[str] = []
    writer = driver._state_of_loop().writer
    await writer.run(lambda raw: raw.set_trace_callback(statements.append))

    await outcomes(*(add(driver, number, 1000 + number) for number in range(32)))

    assert len(await things(driver)) == 64
    assert 1 <= statements.count("COMMIT") <= 2


async def test_an_error_of_one_leaves_the_others_whole(driver: SQLiteDriver) -> None:
    answers = await outcomes(add(driver, 1, 2), add(driver, 3, 1), add(driver, 4, 5))

    assert [type(answer) for answer in answers] == [type(None), ConflictError, type(None)]
    assert await things(driver) == [1, 2, 4, 5]


async def test_what_waits_on_anything_else_is_refused(driver: SQLiteDriver) -> None:
    async def slow(connection: Connection) -> None:
        await connection.fetch(ADD, {"id": 1})
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="nothing but its statements"):
        await driver.atomically(slow)

    assert await things(driver) == []
    await add(driver, 1)


async def test_what_is_cancelled_before_its_turn_does_not_run(driver: SQLiteDriver) -> None:
    async with driver.transaction() as connection:
        waiting = asyncio.ensure_future(add(driver, 1))
        other = asyncio.ensure_future(add(driver, 2))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await connection.fetch(ADD, {"id": 3})
    await other

    assert await things(driver) == [2, 3]


async def test_a_disk_that_is_full_acknowledges_nothing_that_is_not_there(driver: SQLiteDriver) -> None:
    await driver.write("CREATE TABLE large (id INTEGER PRIMARY KEY, text TEXT)", {})
    await driver.write("PRAGMA max_page_count = 8", {})
    large = "INSERT INTO large VALUES (:id, :text)"

    answers = await outcomes(*(driver.write(large, {"id": number, "text": "x" * 6000}) for number in range(8)))

    stored = [row["id"] for row in await driver.read("SELECT id FROM large", {})]
    assert [number for number, answer in enumerate(answers) if not isinstance(answer, Exception)] == stored
    assert all(isinstance(answer, StorageUnavailableError | list) for answer in answers)
    assert len(stored) < 8
    await driver.write("PRAGMA max_page_count = 1000000", {})
    await add(driver, 1)


async def test_many_more_than_fit_in_one_group(driver: SQLiteDriver) -> None:
    answers = await outcomes(*(add(driver, number) for number in range(300)))

    assert answers == [None] * 300
    assert await things(driver) == list(range(300))
