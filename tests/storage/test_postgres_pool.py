"""Our own connections to PostgreSQL: bounded, handed on in order, none lost by failures, cancellation or closing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from asgi_auth.storage import postgres_pool
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.postgres_connection import AsyncpgConnection
from asgi_auth.storage.postgres_pool import OwnPool
from asgi_auth.testing.records import at_once

Fresh = Callable[[str], str]


class Connecting:
    """Connects to a database; fails while it is told to."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.made = 0
        self.failing = False

    async def __call__(self) -> AsyncpgConnection:
        if self.failing:
            raise ConnectionRefusedError
        self.made += 1
        found: AsyncpgConnection = await asyncpg.connect(self.dsn)
        return found


@asynccontextmanager
async def pool_of(most: int, dsn: str) -> AsyncIterator[tuple[OwnPool, Connecting]]:
    connecting = Connecting(dsn)
    pool = OwnPool(connecting, most)
    try:
        yield pool, connecting
    finally:
        pool.terminate()


@pytest.fixture
def dsn(fresh: Fresh) -> str:
    return fresh("postgres18")


async def test_many_callers_share_a_few_connections(dsn: str) -> None:
    async with pool_of(3, dsn) as (pool, connecting):
        busy: set[AsyncpgConnection] = set()

        async def use(number: int) -> int:
            connection = await pool.acquire()
            assert connection not in busy
            busy.add(connection)
            found: int = await connection.fetchval("SELECT $1::int", number)
            busy.discard(connection)
            await pool.release(connection)
            return found

        assert await at_once(use, 100) == list(range(100))
        assert connecting.made == 3


async def test_one_after_the_other_needs_one_connection(dsn: str) -> None:
    async with pool_of(3, dsn) as (pool, connecting):
        for _ in range(5):
            await pool.release(await pool.acquire())

    assert connecting.made == 1


async def test_who_waits_longest_is_served_first(dsn: str) -> None:
    async with pool_of(1, dsn) as (pool, _):
        held = await pool.acquire()
        order: list[int] = []

        async def wait(number: int) -> None:
            connection = await pool.acquire()
            order.append(number)
            await pool.release(connection)

        tasks = [asyncio.create_task(wait(number)) for number in range(5)]
        await asyncio.sleep(0)
        await pool.release(held)
        await asyncio.gather(*tasks)

    assert order == [0, 1, 2, 3, 4]


async def test_a_connection_handed_to_who_was_cancelled_goes_on_to_the_next(dsn: str) -> None:
    async with pool_of(1, dsn) as (pool, connecting):
        held = await pool.acquire()
        gone = asyncio.create_task(pool.acquire())
        next_one = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)

        await pool.release(held)
        gone.cancel()

        assert await asyncio.wait_for(next_one, 5) is held
        with pytest.raises(asyncio.CancelledError):
            await gone
    assert connecting.made == 1


async def test_who_is_cancelled_while_waiting_leaves_no_trace(dsn: str) -> None:
    async with pool_of(1, dsn) as (pool, _):
        held = await pool.acquire()
        gone = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])

        await pool.release(held)

        assert await asyncio.wait_for(pool.acquire(), 5) is held


async def test_a_closed_connection_is_replaced(dsn: str) -> None:
    async with pool_of(1, dsn) as (pool, connecting):
        broken = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        broken.terminate()
        await pool.release(broken)

        replaced = await asyncio.wait_for(waiting, 5)
        await pool.release(replaced)
        replaced.terminate()
        again = await pool.acquire()

        assert await again.fetchval("SELECT 1") == 1
    assert connecting.made == 3


async def test_failing_to_connect_takes_no_place(dsn: str) -> None:
    async with pool_of(1, dsn) as (pool, connecting):
        connecting.failing = True
        results = await asyncio.gather(*(pool.acquire() for _ in range(4)), return_exceptions=True)
        assert [type(result) for result in results] == [ConnectionRefusedError] * 4

        connecting.failing = False

        assert await (await pool.acquire()).fetchval("SELECT 1") == 1


async def test_a_connection_that_rested_too_long_is_not_used_again(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with pool_of(2, dsn) as (pool, connecting):
        old, other = await pool.acquire(), await pool.acquire()
        await pool.release(old)
        await asyncio.sleep(0.05)
        monkeypatch.setattr(postgres_pool, "MAX_IDLE", 0.02)

        await pool.release(other)

        assert old.is_closed()
        assert not other.is_closed()
        await asyncio.sleep(0.05)
        assert await pool.acquire() is not other
        assert other.is_closed()
    assert connecting.made == 3


async def test_closing_waits_for_those_in_use_and_refuses_who_waits(dsn: str) -> None:
    async with pool_of(1, dsn) as (pool, _):
        held = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)

        closing = asyncio.create_task(pool.close())
        with pytest.raises(asyncpg.InterfaceError):
            await asyncio.wait_for(waiting, 5)
        assert await held.fetchval("SELECT 1") == 1
        assert not closing.done()
        await pool.release(held)

        await asyncio.wait_for(closing, 5)
        assert held.is_closed()
        with pytest.raises(asyncpg.InterfaceError):
            await pool.acquire()


async def test_who_was_woken_is_not_sent_to_the_back_of_the_queue(dsn: str) -> None:
    async with pool_of(1, dsn) as (pool, _):
        held, order = await pool.acquire(), list[str]()

        async def use(name: str) -> None:
            connection = await pool.acquire()
            order.append(name)
            await pool.release(connection)

        waiting = [asyncio.create_task(use(name)) for name in ("first", "second")]
        await asyncio.sleep(0)
        held.terminate()
        await pool.release(held)
        newcomer = asyncio.create_task(use("newcomer"))
        await asyncio.wait_for(asyncio.gather(*waiting, newcomer), 5)

    assert order.index("first") < order.index("second")
    assert order[-1] != "first"


async def test_a_connection_that_comes_after_the_end_is_given_up(dsn: str) -> None:
    async with pool_of(1, dsn) as (pool, _):
        late = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        pool.terminate()

        with pytest.raises(asyncpg.InterfaceError):
            await asyncio.wait_for(late, 5)
        assert not pool._open


async def test_a_connection_that_comes_back_after_the_end_is_given_up(dsn: str) -> None:
    async with pool_of(2, dsn) as (pool, _):
        held = await pool.acquire()
        pool.terminate()
        await pool.release(held)

    assert held.is_closed()
    assert not pool._idle


def test_no_connection_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="max_size"):
        Postgres("postgresql://localhost/x", max_size=0)
