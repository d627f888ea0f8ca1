"""A database that is away, hangs, is locked or full; calls that are cancelled; messages that are lost."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from asgi_auth.storage.driver import ConflictError
from asgi_auth.testing.records import NOW, a_credential, a_session, a_user, added
from tests.faultproxy import FaultProxy
from tests.postgres import Server
from tests.storage.conftest import FILES_AND_SERVERS, SERVERS, Servers, connect, opened, refused

Fresh = Callable[[str], str]
over_postgres = pytest.mark.parametrize("driver", [*SERVERS, "databases-postgres15"])
postgres = pytest.mark.parametrize("driver", SERVERS)


@pytest.fixture(scope="module")
def mortals() -> Iterator[Callable[[str], Server]]:
    """Servers that may be killed, as no other test uses them."""
    own = Servers()
    yield own.get
    for server in own.running.values():
        server.close()


@over_postgres
async def test_after_a_crash_of_the_server_the_same_storage_works_again(
    driver: str, mortals: Callable[[str], Server]
) -> None:
    server = mortals(driver.removeprefix("databases-"))
    async with opened(driver, server.database(), timeout=2) as storage:
        await added(storage)
        server.kill()

        for _ in range(3):
            await refused(lambda: storage.user("user-1"), 3)
            await refused(lambda: storage.add_user(a_user(2)), 3)
        server.start()

        assert await storage.user("user-1") == a_user()
        assert await storage.add_user(a_user(2))


@over_postgres
async def test_a_server_that_hangs_is_refused_in_time(driver: str, fresh: Fresh, servers: Servers) -> None:
    server = servers.get(driver.removeprefix("databases-"))
    async with FaultProxy(server.port) as proxy:
        url = server.dsn(fresh(driver).rpartition("/")[2], proxy.port)
        async with opened(driver, url, timeout=0.5) as storage:
            await added(storage)
            proxy.pause()

            await refused(lambda: storage.user("user-1"), 2.5)
            await refused(lambda: storage.add_user(a_user(2)), 2.5)
            proxy.resume()

            assert await storage.user("user-1") == a_user()
            assert await storage.user("user-2") is None


@over_postgres
async def test_a_connection_cut_before_the_commit_means_nothing_happened(
    driver: str, fresh: Fresh, servers: Servers
) -> None:
    server = servers.get(driver.removeprefix("databases-"))
    async with FaultProxy(server.port) as proxy:
        url = server.dsn(fresh(driver).rpartition("/")[2], proxy.port)
        async with opened(driver, url, timeout=2) as storage:
            await added(storage)
            proxy.cut_before = b"COMMIT\0"

            await refused(lambda: storage.add_user(a_user(2), a_credential(a_user(2))), 3)

            assert await storage.user("user-2") is None
            assert await storage.add_user(a_user(2), a_credential(a_user(2)))


@over_postgres
async def test_waiting_for_a_connection_is_bounded(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver), timeout=0.5) as storage:
        driver_of_it: Any = storage._driver
        pool = driver_of_it._state_of_loop().pool
        taken = [await pool.acquire() for _ in range(10)]

        await refused(lambda: storage.user("nobody"), 1.5)
        await refused(lambda: storage.add_user(a_user()), 1.5)

        for connection in taken:
            await pool.release(connection)
        assert await storage.user("user-1") is None
        assert await storage.add_user(a_user())


@over_postgres
async def test_a_transaction_that_takes_too_long_is_given_up(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver), timeout=0.5) as storage:

        async def linger() -> None:
            async with storage.transaction() as inside:
                await inside.add_user(a_user())
                await asyncio.sleep(60)

        await refused(linger, 2)

        assert await storage.add_user(a_user())


@postgres
async def test_cut_while_it_listens_a_storage_listens_again(driver: str, fresh: Fresh, servers: Servers) -> None:
    server = servers.get(driver)
    url = fresh(driver)
    async with FaultProxy(server.port) as proxy, opened(driver, url) as other:
        await added(other)
        listening = {"listen_dsn": server.dsn(url.rpartition("/")[2], proxy.port)}
        async with opened(driver, url, **listening) as storage:
            await storage.wait_for_change(5)
            proxy.cut()
            async with asyncio.timeout(2):
                await storage.wait_for_change(10)
                await storage.wait_for_change(10)

            waiting = asyncio.create_task(storage.wait_for_change(20))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            await other.update_user("user-1", {"status": "disabled"}, NOW)

            async with asyncio.timeout(1):
                await waiting


@postgres
async def test_a_listener_that_cannot_connect_waits_and_says_so_once(
    driver: str, fresh: Fresh, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = "postgresql://postgres:secret@127.0.0.1:1/none"
    async with opened(driver, fresh(driver), listen_dsn=nowhere) as storage:
        started = time.monotonic()

        await storage.wait_for_change(0.1)
        await storage.wait_for_change(0.1)

        assert 0.2 <= time.monotonic() - started < 1
        assert [record.name for record in caplog.records].count("asgi_auth") == 1


@postgres
async def test_without_prepared_statements_as_behind_pgbouncer_all_works(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver), statement_cache_size=0) as storage:
        user, credential = await added(storage)

        assert await storage.add_session(a_session(user), credential, 1) == []
        assert await storage.rotate_session("session-1", 0, now=NOW, idle_since=0) is not None
        assert await storage.end_sessions(user.id, NOW) == ["session-1"]


@over_postgres
async def test_a_transaction_that_has_failed_does_not_pass_for_committed(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver)) as storage:
        user, _ = await added(storage)

        async def swallow() -> None:
            async with storage.transaction() as inside:
                await inside.add_user(a_user(2))
                with suppress(ConflictError):
                    await inside.add_user(a_user(2, email_canonical="another@example.com"))

        with pytest.raises(RuntimeError, match="nothing was committed"):
            await swallow()

        assert await storage.user("user-2") is None
        assert await storage.user(user.id) == user


@pytest.mark.parametrize("driver", [*FILES_AND_SERVERS, "memory", "databases-sqlite", "databases-postgres15"])
async def test_cancelling_at_any_moment_leaves_nothing_open(driver: str, fresh: Fresh) -> None:
    options: dict[str, Any] = {"max_size": 1} if driver in SERVERS else {}
    async with opened(driver, fresh(driver), timeout=2, **options) as storage:

        async def work(number: int) -> None:
            async with storage.transaction() as inside:
                await inside.add_user(a_user(number), a_credential(a_user(number)))
                await inside.update_user(f"user-{number}", {"roles": ("admin",)}, NOW)

        cancelled = 0
        for number in range(40):
            task = asyncio.create_task(work(number))
            await asyncio.sleep(number * 0.0002)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            cancelled += task.cancelled()

            user = await storage.user(f"user-{number}")
            assert user is None or user.roles == ("admin",)
        assert cancelled > 0

        if driver in SERVERS:
            open_ones = "SELECT pid FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
            assert len(await storage.run(open_ones, {}, read=True)) == 0
        assert await storage.add_user(a_user(99))


@pytest.mark.parametrize("path", ["sqlite:////nowhere/at/all.db", "postgresql://postgres:secret@127.0.0.1:1/none"])
async def test_a_database_that_never_was_there_is_unavailable(path: str) -> None:
    storage = connect("sqlite" if path.startswith("sqlite") else "postgres15", path)

    async def use() -> None:
        await storage.open()
        await storage.user("user-1")

    await refused(use, 2)
    await storage.close()
