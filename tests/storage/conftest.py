"""The storages under test: every driver, fresh for each test."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from databases import Database

from asgi_auth import MemoryCounters, RedisCounters
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.limits.counters import Counters
from asgi_auth.storage import Names
from asgi_auth.storage.databases import Databases
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.testing.records import NOW
from tests.postgres import Server
from tests.redis_server import RedisCluster, RedisServer

SERVERS = ("postgres15", "postgres18")
FILES_AND_SERVERS = ("sqlite", *SERVERS)
DRIVERS = (*FILES_AND_SERVERS, "memory", "databases-sqlite", "databases-postgres15", "databases-postgres18")
#: A users table of the host with other types than the library's, for each dialect.
OWN_TABLES = {"own-sqlite": "sqlite", "own-postgres15": "postgresql"}
#: Tables with partitions, beside those without in the same database.
PARTITIONED = {"partitioned-postgres15": Names(prefix="parted_")}
OWN = Names(
    prefix="own_", users="people", own_users_table=True, user_columns={"email": "mail", "last_login_at": "seen"}
)
COLUMNS = {
    "sqlite": """
        id VARCHAR(255) PRIMARY KEY NOT NULL, mail VARCHAR(320), email_canonical TEXT NOT NULL UNIQUE,
        email_verified INTEGER DEFAULT 0, status TEXT, roles JSON, data JSON, created_at TIMESTAMP,
        updated_at DATETIME, access_changed_at BIGINT, seen DATETIME, team TEXT NOT NULL DEFAULT 'none'
    """,
    "postgresql": """
        id VARCHAR(255) PRIMARY KEY, mail VARCHAR(320), email_canonical TEXT NOT NULL UNIQUE,
        email_verified BOOLEAN DEFAULT FALSE, status VARCHAR(20), roles TEXT[], data JSONB, created_at TIMESTAMPTZ,
        updated_at TIMESTAMP, access_changed_at BIGINT, seen TIMESTAMPTZ, team TEXT NOT NULL DEFAULT 'none'
    """,
}


class Servers:
    """Starts each server when it is first asked for; all tests of a process share one database on it."""

    def __init__(self) -> None:
        self.running: dict[str, Server] = {}
        self._shared: dict[str, str] = {}

    def get(self, name: str) -> Server:
        """Give the server of a driver's name."""
        if name not in self.running:
            self.running[name] = Server(int(name[-2:]))
        return self.running[name]

    def shared(self, name: str) -> str:
        """Give the DSN of the database that is emptied for each test, which is faster than making one."""
        if name not in self._shared:
            self._shared[name] = self.get(name).database()
        return self._shared[name]


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    started = Servers()
    yield started
    for server in started.running.values():
        server.close()


@pytest.fixture
def fresh(servers: Servers, tmp_path: Path) -> Callable[[str], str]:
    """Give the URL of a driver's database: nothing in it, the same one throughout a test."""
    urls: dict[str, str] = {}

    def url(driver: str) -> str:
        if driver == "memory":
            return "sqlite://"
        if "sqlite" in driver:
            return f"sqlite:///{tmp_path}/auth.db"
        server = driver.rpartition("-")[2]
        if server not in urls:
            urls[server] = servers.get(server).database()
        return urls[server]

    return url


def connect(driver: str, url: str, names: Names | None = None, **options: Any) -> SQLStorage:
    """Make a storage by the name of its driver."""
    if driver in OWN_TABLES:
        return connect(driver.removeprefix("own-"), url, names or OWN, **options)
    if driver in PARTITIONED:
        return connect(driver.removeprefix("partitioned-"), url, names or PARTITIONED[driver], **options)
    if driver in SERVERS:
        return Postgres(url, names=names, **options)
    if not driver.startswith("databases-"):
        return SQLite(url.removeprefix("sqlite:///").replace("sqlite://", ":memory:"), names=names, **options)
    if driver == "databases-sqlite":
        return Databases(Database(url), names, **options)
    return Databases(Database(url, min_size=0, max_size=10), names, **options)


@asynccontextmanager
async def opened(driver: str, url: str, **options: Any) -> AsyncIterator[SQLStorage]:
    """Give a storage whose tables are there."""
    storage = connect(driver, url, **options)
    await storage.open()
    await storage.migrate(NOW)
    yield storage
    await storage.close()


async def refused(call: Callable[[], Awaitable[object]], within: float) -> None:
    """Expect the contract's error, in time."""
    started = time.monotonic()
    with pytest.raises(StorageUnavailableError):
        await call()
    assert time.monotonic() - started < within


async def outcomes(calls: list[Awaitable[object]]) -> tuple[int, int, float]:
    """Run all at once; how many succeeded, how many were refused, and the seconds until the last answer."""
    started = time.monotonic()
    results = await asyncio.gather(*calls, return_exceptions=True)
    good = sum(not isinstance(result, BaseException) for result in results)
    refusals = sum(isinstance(result, StorageUnavailableError) for result in results)
    assert good + refusals == len(results), [result for result in results if isinstance(result, BaseException)]
    return good, refusals, time.monotonic() - started


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test with all drivers, and those of the contract over users tables of the host, too."""
    chosen = {name for mark in metafunc.definition.iter_markers("parametrize") for name in _names(mark.args[0])}
    if "driver" in metafunc.fixturenames and "driver" not in chosen:
        more = [*OWN_TABLES, *PARTITIONED] if "storage" in metafunc.fixturenames else []
        metafunc.parametrize("driver", [*DRIVERS, *more])


def _names(arguments: str | Sequence[str]) -> Sequence[str]:
    return arguments.replace(" ", "").split(",") if isinstance(arguments, str) else arguments


@pytest.fixture
async def storage(driver: str, servers: Servers, fresh: Callable[[str], str]) -> AsyncIterator[SQLStorage]:
    """An open storage whose tables are there and empty."""
    async with emptied(driver, servers, fresh) as found:
        yield found


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    cluster = RedisCluster(tmp_path_factory.mktemp("redis-cluster"))
    yield cluster
    cluster.close()


@pytest.fixture(params=[*DRIVERS, *PARTITIONED, "counters in memory", "redis", "redis_cluster"])
async def counters(
    request: pytest.FixtureRequest, servers: Servers, fresh: Callable[[str], str]
) -> AsyncIterator[Counters]:
    """Counters of every kind, all at nought."""
    if request.param.startswith("redis"):
        # A busy machine takes its time to learn the servers of a cluster.
        url = request.getfixturevalue(request.param).url
        found = RedisCounters(url, prefix=f"{uuid.uuid4()}:", timeout=10)
        yield found
        await found.close()
    elif request.param == "counters in memory":
        yield MemoryCounters()
    else:
        async with emptied(request.param, servers, fresh) as storage:
            yield storage


@asynccontextmanager
async def emptied(driver: str, servers: Servers, fresh: Callable[[str], str]) -> AsyncIterator[SQLStorage]:
    """Open a storage by the name of its driver, with empty tables."""
    on_server = "postgres" in driver
    opened = connect(driver, servers.shared(driver.rpartition("-")[2]) if on_server else fresh(driver))
    await opened.open()
    if driver in OWN_TABLES:
        await opened.run(f"CREATE TABLE IF NOT EXISTS {{users}} ({COLUMNS[OWN_TABLES[driver]]})", {})
    await opened.migrate(NOW)
    if driver in PARTITIONED:
        await opened.partition(4)
    if on_server:
        await opened.run("TRUNCATE {users}, {counters}, {audit}, {changes} CASCADE", {})
    yield opened
    await opened.close()
