"""Group commit on SQLite: one COMMIT for all that wait, and an error of one leaves the others whole."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import ConflictError, Connection
from asgi_auth.storage.sqlite import SQLiteDriver

ADD = "INSERT INTO things VALUES (:id)"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SQLiteDriver]:
    engine = SQLiteDriver(str(tmp_path / "group.db"), 1, 4.0)
    await engine.open()
    await engine.write("CREATE TABLE things (id INTEGER PRIMARY KEY)", {})
    yield engine
    await engine.close()


async def things(engine: SQLiteDriver) -> list[int]:
    return [row["id"] for row in await engine.read("SELECT id FROM things ORDER BY id", {})]


def add(engine: SQLiteDriver, *ids: int) -> Awaitable[None]:
    """Insert all in one transaction."""

    async def work(connection: Connection) -> None:
        for each in ids:
            await connection.fetch(ADD, {"id": each})

    return engine.atomically(work)


async def outcomes(*calls: Awaitable[Any]) -> list[Any]:
    """Run them all at once: they wait for the writer together."""
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_transactions_that_wait_share_a_commit(engine: SQLiteDriver) -> None:
    statements: list[str] = []
    writer = engine._state_of_loop().writer
    await writer.run(lambda raw: raw.set_trace_callback(statements.append))

    await outcomes(*(add(engine, number, 1000 + number) for number in range(32)))

    assert len(await things(engine)) == 64
    assert 1 <= statements.count("COMMIT") <= 2


async def test_an_error_of_one_leaves_the_others_whole(engine: SQLiteDriver) -> None:
    answers = await outcomes(add(engine, 1, 2), add(engine, 3, 1), add(engine, 4, 5))

    assert [type(answer) for answer in answers] == [type(None), ConflictError, type(None)]
    assert await things(engine) == [1, 2, 4, 5]


async def test_what_waits_on_anything_else_is_refused(engine: SQLiteDriver) -> None:
    async def slow(connection: Connection) -> None:
        await connection.fetch(ADD, {"id": 1})
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="nothing but its statements"):
        await engine.atomically(slow)

    assert await things(engine) == []
    await add(engine, 1)


async def test_what_is_cancelled_before_its_turn_does_not_run(engine: SQLiteDriver) -> None:
    async with engine.transaction() as connection:
        waiting = asyncio.ensure_future(add(engine, 1))
        other = asyncio.ensure_future(add(engine, 2))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await connection.fetch(ADD, {"id": 3})
    await other

    assert await things(engine) == [2, 3]


async def test_a_disk_that_is_full_acknowledges_nothing_that_is_not_there(engine: SQLiteDriver) -> None:
    await engine.write("CREATE TABLE large (id INTEGER PRIMARY KEY, text TEXT)", {})
    await engine.write("PRAGMA max_page_count = 8", {})
    large = "INSERT INTO large VALUES (:id, :text)"

    answers = await outcomes(*(engine.write(large, {"id": number, "text": "x" * 6000}) for number in range(8)))

    stored = [row["id"] for row in await engine.read("SELECT id FROM large", {})]
    assert [number for number, answer in enumerate(answers) if not isinstance(answer, Exception)] == stored
    assert all(isinstance(answer, StorageUnavailableError | list) for answer in answers)
    assert len(stored) < 8
    await engine.write("PRAGMA max_page_count = 1000000", {})
    await add(engine, 1)


async def test_many_more_than_fit_in_one_group(engine: SQLiteDriver) -> None:
    answers = await outcomes(*(add(engine, number) for number in range(300)))

    assert answers == [None] * 300
    assert await things(engine) == list(range(300))


async def test_a_call_that_is_made_while_a_group_commits_is_in_the_next_one(engine: SQLiteDriver) -> None:
    first = asyncio.ensure_future(add(engine, 1))
    await asyncio.sleep(0)

    await add(engine, 2)
    await first

    assert await things(engine) == [1, 2]


async def test_thousands_that_stop_waiting_for_their_turn_stop_no_one_else(engine: SQLiteDriver) -> None:
    async def hold() -> None:
        async with engine.transaction():
            pass

    async with engine.transaction() as connection:
        gone = [asyncio.ensure_future(hold()) for _ in range(3000)]
        last = asyncio.ensure_future(add(engine, 1))
        await asyncio.sleep(0.05)
        for each in gone:
            each.cancel()
        await connection.fetch(ADD, {"id": 2})
    await last

    assert await things(engine) == [1, 2]


async def test_transactions_and_groups_take_turns(engine: SQLiteDriver) -> None:
    async def long(number: int) -> None:
        async with engine.transaction() as connection:
            await connection.fetch(ADD, {"id": number})
            await asyncio.sleep(0)
            await connection.fetch(ADD, {"id": 1000 + number})

    await asyncio.gather(*(work for number in range(50) for work in (long(number), add(engine, 2000 + number))))

    assert len(await things(engine)) == 150


async def test_an_answer_for_which_no_call_waits_any_longer_ends_the_silence(engine: SQLiteDriver) -> None:
    state, gate = engine._state_of_loop(), threading.Event()

    async def slow(connection: Connection) -> None:
        gate.wait(30)
        await connection.fetch(ADD, {"id": 1})

    call = asyncio.ensure_future(engine.atomically(slow))
    await asyncio.sleep(0.01)
    state.breaker.is_silent = True
    call.cancel()
    await asyncio.wait([call])
    gate.set()
    await state.writer.run(lambda _: None)
    await asyncio.sleep(0)

    assert not state.breaker.is_silent
    assert await things(engine) == [1]


def test_a_loop_that_closes_during_a_group_keeps_no_other_loop_from_writing() -> None:
    engine, gate = SQLiteDriver(":memory:", 1, 5.0), threading.Event()

    async def slow(connection: Connection) -> None:
        gate.wait(30)
        await connection.fetch(ADD, {"id": 1})

    async def begin() -> None:
        await engine.open()
        tasks.append(asyncio.ensure_future(engine.atomically(slow)))
        await asyncio.sleep(0.01)

    async def rest() -> None:
        await engine.open()
        await engine.write("CREATE TABLE things (id INTEGER PRIMARY KEY)", {})
        await asyncio.to_thread(one)
        gate.set()
        await add(engine, 2)
        assert 2 in await things(engine)
        await engine.close()

    def one() -> None:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(begin())
        # Without a word: neither the task nor the storage is closed.
        loop.close()

    tasks: list[asyncio.Future[None]] = []
    asyncio.run(rest())
    # Here, or another test would hear of the end of the task.
    tasks.clear()
    gc.collect()
