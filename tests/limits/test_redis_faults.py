"""A Redis that restarts, hangs or is slow: no call fails once it is back, and a silent one is asked by one call."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from asgi_auth import RedisCounters
from asgi_auth.bounds.deadline import Deadline
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.limits import redis as module
from tests.faultproxy import FaultProxy
from tests.redis_server import RedisServer, missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
NOW = 1_800_000_000


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.close()


async def refusals(*calls: Awaitable[object]) -> int:
    """Run all at once, and count those that were refused."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    failed = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(result, StorageUnavailableError) for result in failed), failed
    return len(failed)


async def test_after_a_restart_no_pooled_connection_costs_a_call(own_redis: RedisServer) -> None:
    counters = RedisCounters(own_redis.url, timeout=2)
    for _ in range(2):
        assert await refusals(*(counters.count(f"key{number}", NOW, 60) for number in range(30))) == 0
        with own_redis.away():
            assert await refusals(counters.count("key", NOW, 60)) == 1

        for number in range(30):
            assert (await counters.count(f"key{number}", NOW, 60)).count == 1
        with own_redis.away():
            pass
        assert await refusals(*(counters.count(f"other{number}", NOW, 60) for number in range(30))) == 0
    await counters.close()


class Watched(RedisCounters):
    """Knows how many calls ask Redis at once, at most and all in all."""

    asking = most = total = 0

    async def _once_more(self, client: Any, call: Callable[[], Awaitable[Any]]) -> Any:
        self.asking += 1
        self.total += 1
        self.most = max(self.most, self.asking)
        try:
            return await super()._once_more(client, call)
        finally:
            self.asking -= 1


async def test_while_redis_hangs_one_call_asks_it(own_redis: RedisServer) -> None:
    async with FaultProxy(int(own_redis.url.rpartition(":")[2])) as proxy:
        counters = Watched(f"redis://127.0.0.1:{proxy.port}", timeout=0.5)
        await counters.count("key", NOW, 60)
        proxy.pause()
        assert await refusals(*(counters.count("key", NOW, 60) for _ in range(120))) == 120

        # By now it is known to be silent.
        counters.most = counters.total = 0
        assert await refusals(*(counters.count("key", NOW, 60) for _ in range(240))) == 240
        assert counters.most == 1
        assert counters.total < 240
        proxy.resume()

        # Calls may be refused until one of them has its answer; then none is.
        while await refusals(*(counters.count("key", NOW, 60) for _ in range(20))):
            pass
        await counters.close()


async def test_the_deadline_of_a_request_bounds_redis_too(own_redis: RedisServer) -> None:
    async with FaultProxy(int(own_redis.url.rpartition(":")[2])) as proxy:
        counters = RedisCounters(f"redis://127.0.0.1:{proxy.port}", timeout=30)
        await counters.count("key", NOW, 60)
        proxy.pause()
        started = time.monotonic()

        with Deadline(0.3), pytest.raises(StorageUnavailableError):
            await counters.count("key", NOW, 60)

        assert time.monotonic() - started < 2
        proxy.resume()
        assert (await counters.count("another", NOW, 60)).count == 1
        await counters.close()


async def test_the_line_of_calls_has_an_end(own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 10)
    counters = RedisCounters(own_redis.url)

    assert await refusals(*(counters.count("key", NOW, 60) for _ in range(15))) == 5

    assert (await counters.count("key", NOW, 60)).count == 11
    await counters.close()


async def test_cancelled_calls_leave_no_connection_behind(own_redis: RedisServer) -> None:
    counters = RedisCounters(own_redis.url)
    for number in range(60):
        call = asyncio.create_task(counters.count("key", NOW, 60))
        await asyncio.sleep(number * 0.0001)
        call.cancel()
        await asyncio.wait([call])

    assert await refusals(*(counters.count("other", NOW, 60) for _ in range(100))) == 0
    await counters.close()
