"""Health: one query, shared by all callers at the same time; 503 while the database is away, and nothing else told."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from asgi_auth import Auth, AuthApp, AuthMiddleware, Health, RateLimits, Sessions
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.feature import Call
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.statements.schema import PING
from tests.cluster import free_port
from tests.faultproxy import FaultProxy
from tests.storage.conftest import FILES_AND_SERVERS, Servers
from tests.support import Client, CountingStorage, bearer, make_auth, who

Fresh = Callable[[str], str]


class Gate:
    """Holds every look at the database until it is opened, and counts the calls that have come so far."""

    def __init__(self, storage: CountingStorage, auth: Auth) -> None:
        self.opened = asyncio.Event()
        self.asked = asyncio.Event()
        self.fails = False
        self.calls = asyncio.Semaphore(0)
        storage.before = self.wait
        auth.before("health", self.count)

    async def wait(self, statement: str) -> None:
        if statement == PING:
            self.asked.set()
            await self.opened.wait()
            if self.fails:
                raise StorageUnavailableError

    def count(self, _: Call) -> None:
        self.calls.release()

    async def come(self, number: int) -> None:
        """Wait until so many more calls wait for the database."""
        await self.asked.wait()
        for _ in range(number):
            await self.calls.acquire()
        for _ in range(10):
            await asyncio.sleep(0)


@asynccontextmanager
async def gated() -> AsyncIterator[tuple[Client, CountingStorage, Gate]]:
    storage = CountingStorage()
    async with make_auth(storage) as auth:
        yield Client(AuthMiddleware(who, auth, mount="/auth")), storage, Gate(storage, auth)


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_service_that_works_says_so_and_nothing_else(driver: str, fresh: Fresh) -> None:
    async with make_auth(fresh(driver)) as auth:
        answer = await Client(AuthApp(auth)).get("/health")

    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert answer.header("cache-control") == "no-store"
    assert "server" not in dict(answer.headers)


async def test_it_costs_one_query() -> None:
    async with gated() as (client, storage, gate):
        gate.opened.set()
        await client.get("/auth/health")
        before = len(storage.statements)

        await client.get("/auth/health")

        assert storage.statements[before:] == [PING]


async def test_a_token_costs_no_further_query_and_a_bad_one_is_no_failure() -> None:
    async with gated() as (client, storage, gate):
        gate.opened.set()
        for headers in (bearer("junk"), {"cookie": "__Host-auth-access=junk"}, {"accept": "text/html"}):
            storage.statements.clear()
            answer = await client.get("/auth/health", headers=headers)

            assert (answer.status, storage.statements.count(PING)) == (200, 1)
        assert (await client.request("HEAD", "/auth/health")).status == 200


@pytest.mark.parametrize("fails", [False, True])
async def test_callers_at_the_same_time_share_one_query(*, fails: bool) -> None:
    async with gated() as (client, storage, gate):
        gate.fails = fails
        calls = [asyncio.create_task(client.get("/auth/health")) for _ in range(50)]
        await gate.come(50)
        gate.opened.set()
        answers = await asyncio.gather(*calls)

        assert {answer.status for answer in answers} == {503 if fails else 200}
        assert storage.statements.count(PING) == 1
        gate.fails = False
        assert (await client.get("/auth/health")).status == 200
        assert storage.statements.count(PING) == 2


async def test_a_caller_that_goes_away_leaves_the_query_to_the_others() -> None:
    async with gated() as (client, storage, gate):
        first = asyncio.create_task(client.get("/auth/health"))
        await gate.come(1)
        second = asyncio.create_task(client.get("/auth/health"))
        await gate.come(1)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        gate.opened.set()

        assert (await second).status == 200
        assert storage.statements.count(PING) == 1


async def test_a_query_that_is_in_flight_ends_with_the_service(caplog: pytest.LogCaptureFixture) -> None:
    async with gated() as (client, _, gate):
        call = asyncio.create_task(client.get("/auth/health"))
        await gate.come(1)
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
    gate.opened.set()

    assert not [task for task in asyncio.all_tasks() if "health" in task.get_name()]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_database_that_hangs_is_503_until_it_answers_again(fresh: Fresh, servers: Servers) -> None:
    server = servers.get("postgres15")
    async with FaultProxy(server.port) as proxy:
        storage = Postgres(server.dsn(fresh("postgres15").rpartition("/")[2], proxy.port), timeout=1)
        async with make_auth(storage) as auth:
            client = Client(AuthApp(auth))
            assert (await client.get("/health")).status == 200
            proxy.pause()

            answers = await asyncio.gather(*(client.get("/health") for _ in range(20)))
            proxy.resume()

            assert {(each.status, each.json["code"]) for each in answers} == {(503, "storage_unavailable")}
            assert all(each.header("retry-after") for each in answers)
            assert (await client.get("/health")).status == 200


async def test_a_database_that_is_away_from_the_start_is_503() -> None:
    async with contextlib.AsyncExitStack() as stack:
        auth = make_auth(f"postgresql://nobody:very-secret@127.0.0.1:{free_port()}/none")
        stack.push_async_callback(auth.close)

        answer = await Client(AuthApp(auth)).get("/health")

    assert (answer.status, answer.json["code"]) == (503, "storage_unavailable")
    assert b"127.0.0.1" not in answer.body


async def test_no_limit_refuses_a_probe() -> None:
    async with make_auth(features=[Health(), Sessions(), RateLimits()]) as auth:
        client = Client(AuthApp(auth))

        assert {(await client.get("/health")).status for _ in range(700)} == {200}


async def test_an_app_without_it_has_no_endpoint() -> None:
    async with make_auth(features=[Sessions()]) as auth:
        assert (await Client(AuthApp(auth)).get("/health")).status == 404
