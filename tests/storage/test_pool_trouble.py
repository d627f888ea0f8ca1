"""Connections that the server refuses, closes or confuses: calls wait for the room that there is, and none is lost."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import pytest

from asgi_auth.bounds.deadline import Deadline
from asgi_auth.errors import StorageSetupError, StorageUnavailableError
from asgi_auth.storage.driver import PoolerError
from asgi_auth.storage.postgres_pool import OwnPool
from asgi_auth.storage.postgres_refusals import has_no_room
from asgi_auth.testing.records import NOW, a_user, added
from tests.faultproxy import FaultProxy
from tests.storage.conftest import Servers, opened, outcomes

Fresh = Callable[[str], str]
POSTGRES = "postgres18"
POOLED = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pooled'"


@pytest.mark.parametrize("allowed", [1, 3])
async def test_a_role_with_few_connections_serves_all_who_call(
    allowed: int, fresh: Fresh, servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    server, url = servers.get(POSTGRES), fresh(POSTGRES)
    role = f"few{allowed}"
    server.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'secret' CONNECTION LIMIT {allowed}")
    server.sql(f"GRANT CREATE ON SCHEMA public TO {role}", url)
    async with opened(POSTGRES, url.replace("postgres:secret", f"{role}:secret")) as storage:
        good, _, _ = await outcomes([storage.add_user(a_user(number)) for number in range(2, 42)])

        assert good == 40
        assert len([record for record in caplog.records if "room" in record.message]) == 1
        server.sql(f"ALTER ROLE {role} CONNECTION LIMIT 50")
        pool = storage._driver._state_of_loop().pool  # type: ignore[attr-defined]
        async with asyncio.timeout(15):
            while len(pool._open) <= allowed:
                await outcomes([storage.user("user-2") for _ in range(40)])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.TooManyConnectionsError("sorry, too many clients already"), True),
        (asyncpg.ProtocolViolationError("no more connections allowed (max_client_conn)"), True),
        (asyncpg.InternalServerError("MaxClientsInSessionMode: max clients reached"), True),
        (asyncpg.InvalidPasswordError("password authentication failed"), False),
        (ConnectionRefusedError("refused"), False),
    ],
)
def test_servers_and_poolers_say_that_they_have_no_room(error: Exception, *, expected: bool) -> None:
    wrapped = StorageSetupError("correct the database URL")
    wrapped.__cause__ = error

    assert has_no_room(error) is has_no_room(wrapped) is expected


async def test_a_server_without_any_room_is_waited_for(fresh: Fresh, servers: Servers) -> None:
    server, url = servers.get(POSTGRES), fresh(POSTGRES)
    server.sql("CREATE ROLE none_yet LOGIN PASSWORD 'secret' CONNECTION LIMIT 0")
    async with opened(POSTGRES, url) as admin:
        await added(admin)
        server.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO none_yet", url)
    calls = OwnPool(lambda: asyncpg.connect(url.replace("postgres:secret", "none_yet:secret")), 5)

    waiting = [asyncio.create_task(calls.acquire(Deadline(20))) for _ in range(3)]
    await asyncio.sleep(0.3)
    assert not any(call.done() for call in waiting)
    waiting[0].cancel()
    server.sql("ALTER ROLE none_yet CONNECTION LIMIT 5")

    async with asyncio.timeout(10):
        for call in waiting[1:]:
            await calls.release(await call)
    await calls.close()


async def test_after_a_restart_of_the_server_no_call_fails() -> None:
    server = Servers().get("postgres15")
    try:
        async with opened("postgres15", server.database()) as storage:
            await added(storage)
            await outcomes([storage.user("user-1") for _ in range(20)])
            server.kill()
            server.start()
            await asyncio.sleep(0.6)

            assert (await outcomes([storage.user("user-1") for _ in range(20)]))[0] == 20
            assert (await outcomes([storage.add_user(a_user(number)) for number in range(2, 22)]))[0] == 20
    finally:
        server.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 (there is no event to wait for)
            await asyncio.sleep(0.01)


async def kill_backends(admin: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Kill all connections to the database but this one, until none is left."""
    async with asyncio.timeout(5):
        while await admin.fetch(f"SELECT pg_terminate_backend(pid) {POOLED}"):  # noqa: ASYNC110 (other processes end)
            await asyncio.sleep(0.01)


async def test_idle_connections_that_the_server_has_closed_cost_no_call(fresh: Fresh) -> None:
    url = fresh(POSTGRES)
    named = {"server_settings": {"application_name": "pooled"}}
    async with opened(POSTGRES, url, **named) as storage:
        await added(storage)
        admin = await asyncpg.connect(url)
        for rest in (0, 0.05, 0.6):
            await outcomes([storage.user("user-1") for _ in range(20)])
            await kill_backends(admin)
            await asyncio.sleep(rest)

            assert (await outcomes([storage.user("user-1") for _ in range(20)]))[0] == 20

            async def write() -> None:
                async with storage.transaction() as inside:
                    await inside.update_user("user-1", {"roles": ("admin",)}, NOW)

            await kill_backends(admin)
            await write()
        await admin.close()


def was_cut(proxy: FaultProxy) -> bool:
    return proxy.cut_before is None


async def test_a_connection_that_is_cut_costs_no_query_and_no_transaction_that_begins(
    fresh: Fresh, servers: Servers
) -> None:
    """A write may have been done, so it is not repeated; it is a 503."""
    async with FaultProxy(servers.get(POSTGRES).port) as proxy:
        url = servers.get(POSTGRES).dsn(fresh(POSTGRES).rpartition("/")[2], proxy.port)
        async with opened(POSTGRES, url, max_size=1) as storage:
            await added(storage)
            assert (await storage.count("key", NOW, 60)).count == 1
            assert await storage.user("user-1") is not None

            proxy.cut_before = b"__asyncpg_stmt"
            assert await storage.user("user-1") is not None
            assert was_cut(proxy)
            proxy.cut_before = b"BEGIN"
            async with storage.transaction() as inside:
                await inside.count("key", NOW, 60)
            assert was_cut(proxy)
            await storage.count("key", NOW, 60)
            proxy.cut_before = b"__asyncpg_stmt"
            with pytest.raises(StorageUnavailableError):
                await storage.count("key", NOW, 60)

            assert (await storage.count("key", NOW, 60)).count == 4


async def test_an_idle_connection_is_asked_before_a_write_is_sent(
    fresh: Fresh, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a connection may arrive with the write, which must not be repeated."""
    monkeypatch.setattr("asgi_auth.storage.postgres_pool.RESTED", 0.0)
    async with FaultProxy(servers.get(POSTGRES).port) as proxy:
        url = servers.get(POSTGRES).dsn(fresh(POSTGRES).rpartition("/")[2], proxy.port)
        async with opened(POSTGRES, url, max_size=1) as storage:
            await storage.count("key", NOW, 60)
            proxy.cut_before = b"SELECT 1"

            assert (await storage.count("key", NOW, 60)).count == 2

            assert was_cut(proxy)


async def test_without_its_prepared_statements_a_pooler_is_named(
    fresh: Fresh, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(POSTGRES, fresh(POSTGRES), max_size=1) as storage:
        await storage.user("user-1")
        async with storage.transaction() as inside:
            await inside.run("DEALLOCATE ALL", {})
        with caplog.at_level(logging.ERROR), pytest.raises(PoolerError, match="statement_cache_size=0"):
            await storage.user("user-1")

        assert "statement_cache_size=0" in caplog.text


async def test_a_pool_under_load_loses_nothing(fresh: Fresh) -> None:
    """Calls, cancellations and killed connections in random order: never too many, and all idle at the end."""
    url, most = fresh(POSTGRES), 4
    rng = random.Random(7)
    pool = OwnPool(lambda: asyncpg.connect(url, server_settings={"application_name": "pooled"}), most)
    admin = await asyncpg.connect(url)
    held: set[object] = set()
    served = 0

    async def use() -> None:
        nonlocal served
        failures = (asyncpg.PostgresError, asyncpg.InterfaceError, StorageUnavailableError, OSError)
        with suppress(*failures), Deadline(rng.choice([0.05, 5.0])) as deadline:
            async with asyncio.timeout(deadline.left()):
                connection = await pool.acquire(deadline)
            assert connection not in held
            held.add(connection)
            assert len(held) <= most
            try:
                await connection.execute(f"SELECT pg_sleep({rng.random() * 0.01})")
                served += 1
            except BaseException:
                connection.terminate()
                raise
            finally:
                held.discard(connection)
                await pool.release(connection)

    end, calls = time.monotonic() + 4, set[asyncio.Task[None]]()
    while time.monotonic() < end:
        calls |= {asyncio.create_task(use()) for _ in range(rng.randrange(8))}
        await asyncio.sleep(rng.random() * 0.02)
        for call in rng.sample(sorted(calls, key=id), len(calls) // 8):
            call.cancel()
        if rng.random() < 0.05:
            await admin.execute(f"SELECT pg_terminate_backend(pid) {POOLED}")
        assert len(pool._open) + len(pool._connecting) <= most
        calls = {call for call in calls if not call.done()}
    await asyncio.gather(*calls, return_exceptions=True)
    await until(lambda: not pool._connecting)

    assert served > 50
    assert len(pool._line) == 0
    assert {connection for connection, _ in pool._idle} == set(pool._open)
    assert len(pool._open) <= most
    await pool.close()
    async with asyncio.timeout(5):
        while await admin.fetchval(f"SELECT count(*) {POOLED}"):  # noqa: ASYNC110 (other processes end)
            await asyncio.sleep(0.01)
    await admin.close()
