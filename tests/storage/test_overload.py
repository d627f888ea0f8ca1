"""More calls than a database carries: requests in progress end, the others are refused in time, a silent server costs
one call at a time, and a server with little room is waited for."""

import asyncio
import time
from collections.abc import Callable

from asgi_auth.bounds.deadline import Deadline
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW, added
from tests.faultproxy import FaultProxy
from tests.storage.conftest import Servers, opened, outcomes, refused

Fresh = Callable[[str], str]
POSTGRES = "postgres18"
POOLED = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pooled'"


async def request(storage: SQLStorage, seconds: float, steps: int = 8) -> None:
    """Be a request of several statements."""
    with Deadline(seconds):
        for _ in range(steps):
            await storage.user("user-1")


async def test_requests_in_progress_end_before_new_ones_begin(fresh: Fresh, servers: Servers) -> None:
    """Eight statements of 50 ms over two connections: 5 requests a second. In lockstep none of 60 would end."""
    async with FaultProxy(servers.get(POSTGRES).port) as proxy:
        url = servers.get(POSTGRES).dsn(fresh(POSTGRES).rpartition("/")[2], proxy.port)
        async with opened(POSTGRES, url, max_size=2) as storage:
            proxy.delay = 0.05

            good, refusals, seconds = await outcomes([request(storage, 3) for _ in range(60)])

            assert good >= 3
            assert refusals > 0
            assert seconds < 4
            # The pace is known by now: the line takes as many as can end in time, and refuses the others at once.
            started = time.monotonic()
            calls = [asyncio.create_task(request(storage, 3)) for _ in range(60)]
            await asyncio.wait(calls, timeout=0.5)
            assert sum(call.done() for call in calls) > 20
            await asyncio.gather(*calls, return_exceptions=True)
            assert time.monotonic() - started < 4


async def test_all_steps_of_a_request_share_one_deadline(fresh: Fresh, servers: Servers) -> None:
    async with FaultProxy(servers.get(POSTGRES).port) as proxy:
        url = servers.get(POSTGRES).dsn(fresh(POSTGRES).rpartition("/")[2], proxy.port)
        async with opened(POSTGRES, url, timeout=1) as storage:
            proxy.delay = 0.3

            await refused(lambda: request(storage, 1), 1.6)

            proxy.delay = 0
            await request(storage, 5)


async def test_while_a_server_hangs_one_call_asks_it(fresh: Fresh, servers: Servers) -> None:
    async with FaultProxy(servers.get(POSTGRES).port) as proxy:
        url = servers.get(POSTGRES).dsn(fresh(POSTGRES).rpartition("/")[2], proxy.port)
        async with opened(POSTGRES, url, timeout=1) as storage:
            await added(storage)
            proxy.pause()
            await outcomes([storage.user("user-1") for _ in range(20)])
            connections = proxy.connections

            asking = asyncio.create_task(storage.user("user-1"))
            await asyncio.sleep(0.25)
            good, refusals, seconds = await outcomes([storage.user("user-1") for _ in range(50)])

            assert (good, refusals) == (0, 50)
            assert seconds < 0.9
            for _ in range(3):
                await refused(lambda: storage.user("user-1"), 0.9)
            assert proxy.connections <= connections + 3
            proxy.resume()
            await asyncio.wait([asking])
            assert await storage.user("user-1") is not None
            assert (await outcomes([storage.user("user-1") for _ in range(50)]))[0] == 50


async def test_a_slow_server_that_answers_is_not_taken_for_silent(fresh: Fresh, servers: Servers) -> None:
    async with FaultProxy(servers.get(POSTGRES).port) as proxy:
        url = servers.get(POSTGRES).dsn(fresh(POSTGRES).rpartition("/")[2], proxy.port)
        async with opened(POSTGRES, url, timeout=1) as storage:
            await storage.user("user-1")
            proxy.delay = 0.6
            # The second statement of each is cut off.
            await outcomes([request(storage, 1, steps=2) for _ in range(5)])

            proxy.delay = 0

            assert (await outcomes([storage.user("user-1") for _ in range(30)]))[0] == 30


async def test_a_statement_that_waits_for_a_row_lock_holds_up_no_others(fresh: Fresh) -> None:
    async with opened(POSTGRES, fresh(POSTGRES), timeout=1) as storage, opened(POSTGRES, fresh(POSTGRES)) as other:
        await added(storage)
        async with other.transaction() as inside:
            await inside.update_user("user-1", {"roles": ("admin",)}, NOW)
            waiting = asyncio.create_task(refused(lambda: storage.update_user("user-1", {"roles": ()}, NOW), 2))
            while not waiting.done():
                assert await storage.user("user-1") is not None
                await asyncio.sleep(0.05)

        await waiting
        assert (await outcomes([storage.user("user-1") for _ in range(20)]))[0] == 20


async def test_while_the_pool_of_the_host_is_silent_one_call_asks_it(fresh: Fresh, servers: Servers) -> None:
    async with FaultProxy(servers.get(POSTGRES).port) as proxy:
        url = servers.get(POSTGRES).dsn(fresh(POSTGRES).rpartition("/")[2], proxy.port)
        async with opened(f"databases-{POSTGRES}", url, timeout=1) as storage:
            await added(storage)
            proxy.pause()
            await outcomes([storage.user("user-1") for _ in range(20)])
            asking = asyncio.create_task(storage.user("user-1"))
            await asyncio.sleep(0.25)

            good, refusals, seconds = await outcomes([storage.user("user-1") for _ in range(50)])

            assert (good, refusals) == (0, 50)
            assert seconds < 0.9
            proxy.resume()
            await asyncio.wait([asking])
            assert await storage.user("user-1") is not None
