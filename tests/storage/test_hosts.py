"""Several hosts in a URL: one that gives no answer, refuses, or is a standby never keeps the others from serving."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from asgi_auth.errors import StorageSetupError, StorageUnavailableError
from asgi_auth.storage import postgres_hosts, postgres_listener
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.postgres_hosts import connect_to_first, hosts_of
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW, a_user, added, at_once
from tests.faultproxy import FaultProxy
from tests.postgres import Server

Pair = tuple[Server, Server]
REFUSING = 1
SESSIONS = "select count(*) from pg_stat_activity where application_name = 'raced'"
WHERE = "SELECT pg_is_in_recovery() AS standby"


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        yield listening.getsockname()[1]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A primary and its standby."""
    primary = Server(15)
    standby = Server(15, primary)
    yield primary, standby
    standby.close()
    primary.close()


@pytest.fixture
def mortal() -> Iterator[Callable[..., Server]]:
    """Servers that may be frozen and promoted, as no other test uses them."""
    own: list[Server] = []

    def make(primary: Server | None = None) -> Server:
        own.append(Server(15, primary))
        return own[-1]

    yield make
    for server in reversed(own):
        server.close()


def url(*ports: int, attribute: str = "any", database: str = "postgres") -> str:
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgresql://postgres:secret@{hosts}/{database}?target_session_attrs={attribute}&application_name=raced"


@asynccontextmanager
async def opened(dsn: str, **options: Any) -> AsyncIterator[SQLStorage]:
    storage = Postgres(dsn, **{"timeout": 3.0, **options})
    await storage.open()
    yield storage
    await storage.close()


async def is_standby(storage: SQLStorage) -> bool:
    [row] = await storage.run(WHERE, {}, read=True)
    return bool(row["standby"])


async def no_session_at(server: Server) -> None:
    """Wait until the server has no connection of these tests."""
    async with asyncio.timeout(10):
        while await asyncio.to_thread(server.sql, SESSIONS) != "0":  # noqa: ASYNC110 (other processes end)
            await asyncio.sleep(0.05)


async def hears(storage: SQLStorage, server: Server) -> None:
    """Wait as a process does, until a change by another one is heard before the wait ends."""

    async with asyncio.timeout(20):
        for _ in range(5):
            await storage.wait_for_change(0.2)
        waiting = asyncio.create_task(storage.wait_for_change(60))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(server.sql, f"notify {storage.names.channel}")
        await waiting


@pytest.mark.parametrize("attribute", ["any", "primary", "read-write", "standby", "read-only", "prefer-standby"])
async def test_hosts_that_are_silent_refuse_or_do_not_fit_are_passed_over(
    attribute: str, pair: Pair, silent: int
) -> None:
    primary, standby = pair
    dsn = url(silent, REFUSING, primary.port, silent, standby.port, attribute=attribute)
    async with opened(dsn) as storage:
        assert await is_standby(storage) == (attribute in {"standby", "read-only", "prefer-standby"})
        assert len(set(await at_once(lambda _: is_standby(storage), 4))) == 1

    for server in pair:
        await no_session_at(server)


async def test_without_a_standby_a_primary_serves_those_that_prefer_one(pair: Pair, silent: int) -> None:
    async with opened(url(pair[0].port, silent, attribute="prefer-standby")) as storage:
        assert not await is_standby(storage)
    async with opened(url(REFUSING, pair[0].port, attribute="prefer-standby")) as storage:
        assert not await is_standby(storage)


async def test_hosts_are_begun_one_after_the_other_and_at_once_after_a_refusal(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    connect = asyncpg.connect

    async def noted(dsn: str, **options: Any) -> Any:
        begun.append(options["port"])
        return await connect(dsn, **options)

    monkeypatch.setattr(asyncpg, "connect", noted)
    monkeypatch.setattr(postgres_hosts, "STAGGER", 60.0)
    primary, standby = pair
    for _ in range(2):
        connection = await connect_to_first(url(REFUSING, primary.port, standby.port), {"timeout": 10})
        await connection.close()

    assert begun == [REFUSING, primary.port] * 2


async def test_of_two_connections_at_once_one_is_closed(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    both = asyncio.Event()
    connect = asyncpg.connect

    async def together(dsn: str, **options: Any) -> Any:
        connection = await connect(dsn, **options)
        made.append(connection)
        if len(made) == 2:
            both.set()
        await both.wait()
        return connection

    monkeypatch.setattr(asyncpg, "connect", together)
    connection = await connect_to_first(url(pair[0].port, pair[1].port), {"timeout": 20})
    await asyncio.sleep(0)

    assert [item.is_closed() for item in made].count(True) == 1
    assert not connection.is_closed()
    await connection.close()


async def test_of_several_errors_that_of_a_server_is_raised(pair: Pair, silent: int) -> None:
    wrong = url(silent, REFUSING, pair[0].port).replace("secret", "wrong")
    async with opened(wrong) as storage:
        with pytest.raises((StorageUnavailableError, StorageSetupError)):
            await is_standby(storage)
    async with opened(wrong.replace(f"127.0.0.1:{silent},", "")) as storage:
        with pytest.raises(StorageSetupError, match="password"):
            await is_standby(storage)
    async with opened(url(REFUSING, pair[1].port, attribute="read-write")) as storage:
        with pytest.raises(StorageUnavailableError) as caught:
            await is_standby(storage)
    assert "attribute" in str(caught.value.__cause__)


async def test_a_call_that_is_cancelled_leaves_no_connection(pair: Pair, silent: int) -> None:
    racing = asyncio.create_task(connect_to_first(url(silent, pair[0].port, attribute="standby"), {"timeout": 60}))
    await asyncio.sleep(0.6)
    racing.cancel()
    await asyncio.wait([racing])

    assert racing.cancelled()
    await no_session_at(pair[0])


async def test_a_standby_that_is_promoted_meanwhile_is_found_while_a_host_is_silent(
    mortal: Callable[..., Server], silent: int
) -> None:
    standby = mortal(mortal())
    racing = asyncio.create_task(connect_to_first(url(silent, standby.port, attribute="primary"), {"timeout": 50}))
    await asyncio.sleep(1)
    await asyncio.to_thread(standby.promote)

    connection = await asyncio.wait_for(racing, 20)

    assert await connection.fetchval("SELECT NOT pg_is_in_recovery()")
    await connection.close()


async def test_after_a_failover_no_idle_connection_costs_another_call(
    mortal: Callable[..., Server], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine of the primary vanishes without a word; the standby is promoted while calls wait."""
    monkeypatch.setattr(postgres_listener, "ANSWER", 0.5)
    primary = mortal()
    standby = mortal(primary)
    async with opened(url(primary.port, standby.port, attribute="read-write"), timeout=1.5) as storage:
        await storage.migrate(NOW)
        await added(storage)
        await storage.wait_for_change(5)
        await at_once(lambda _: storage.user("user-1"), 5)
        await asyncio.sleep(0)
        primary.freeze()
        with caplog.at_level(logging.WARNING), pytest.raises(StorageUnavailableError):
            await storage.user("user-1")
        pool: Any = storage._driver._state_of_loop().pool  # type: ignore[attr-defined]
        assert not pool._idle

        promotion = asyncio.create_task(asyncio.to_thread(standby.promote))
        async with asyncio.timeout(60):
            while True:
                try:
                    await storage.user("user-1")
                    break
                except StorageUnavailableError:
                    await storage.wait_for_change(0.05)
        await promotion

        assert [user and user.id for user in await at_once(lambda _: storage.user("user-1"), 5)] == ["user-1"] * 5
        assert await storage.add_user(a_user(2))
        await hears(storage, standby)
    assert "gives no answer, and is replaced" in caplog.text


async def test_a_listener_that_is_cut_without_a_word_is_replaced(
    pair: Pair, silent: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_listener, "ANSWER", 0.3)
    primary = pair[0]
    async with FaultProxy(primary.port) as proxy, opened(url(proxy.port, silent, primary.port)) as storage:
        await storage.wait_for_change(5)
        proxy.pause()
        for _ in range(3):
            await storage.wait_for_change(0.2)
        async with asyncio.timeout(10):
            while "is replaced" not in caplog.text:  # noqa: ASYNC110 (a task of the storage logs it)
                await asyncio.sleep(0.05)
        assert proxy.connections == 1
        await hears(storage, primary)


async def test_a_server_that_takes_no_writes_any_more_is_left(mortal: Callable[..., Server], pair: Pair) -> None:
    first, second = mortal(), pair[0]
    database = second.database().rpartition("/")[2]
    first.sql(f"create database {database}")
    for server in (second, first):
        async with opened(url(server.port, database=database)) as storage:
            await storage.migrate(NOW)
    async with opened(url(first.port, second.port, database=database, attribute="read-write")) as storage:
        await at_once(lambda _: storage.user("user-1"), 3)
        driver: Any = storage._driver
        # Reads keep a connection in use while a write is refused.
        async with driver.reading():
            first.sql("alter system set default_transaction_read_only = on")
            first.sql("select pg_reload_conf()")
            await asyncio.sleep(0.3)
            with pytest.raises(StorageUnavailableError):
                await storage.add_user(a_user(1))

        assert await storage.add_user(a_user(1))
        assert await storage.add_user(a_user(2))
        assert await asyncio.to_thread(first.sql, SESSIONS) == "0"


@pytest.mark.parametrize(
    ("dsn", "options", "wanted"),
    [
        ("postgresql://a/x", {}, [("a", 5432)]),
        ("postgresql://u:p@a,b:2,[::1]:3,[::1]/x", {}, [("a", 5432), ("b", 2), ("::1", 3), ("::1", 5432)]),
        ("postgresql://%2Frun%2Fpg,b:2/x", {}, [("/run/pg", 5432), ("b", 2)]),
        ("postgresql:///x?host=a,b:7&port=1", {}, [("a", 1), ("b", 1)]),
        ("postgresql:///x?host=a,b:7", {}, [("a", 5432), ("b", 7)]),
        ("postgresql:///x?host=a,b&port=1,2", {}, [("a", 1), ("b", 2)]),
        ("postgresql://a:1,b:2/x", {"port": 9}, [("a", 9), ("b", 9)]),
        ("postgresql://a/x", {"host": ["c", "d"], "port": [1, 2]}, [("c", 1), ("d", 2)]),
        ("postgresql:///x", {}, [("e", 5432), ("f", 6)]),
        ("postgresql:///x?service=s", {}, []),
        ("postgresql:///x?host=a,b&port=1,2,3", {}, []),
    ],
)
def test_the_hosts_are_those_that_asyncpg_finds(
    dsn: str, options: dict[str, Any], wanted: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "e,f:6")
    monkeypatch.delenv("PGPORT", raising=False)

    assert hosts_of(dsn, options) == wanted
