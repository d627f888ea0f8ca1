"""The feed of changes: each is read once, however late it is committed, and after a restore it is read anew."""

import asyncio
import itertools
import json
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.storage.statements import feed
from asgi_auth.testing.records import NOW, a_session, added
from tests.postgres import Server
from tests.storage.conftest import SERVERS, opened

Fresh = Callable[[str], str]


@pytest.fixture(params=SERVERS)
async def server_storage(request: pytest.FixtureRequest, fresh: Fresh) -> AsyncIterator[SQLStorage]:
    async with opened(request.param, fresh(request.param)) as storage:
        yield storage


class Reader:
    """Reads the feed step by step, as a process does."""

    def __init__(self, storage: SQLStorage) -> None:
        self._storage = storage
        self.position = ""

    async def read(self) -> list[str]:
        """The ids of the sessions whose ends are new, and those of the users whose access changed."""
        found, more = list[str](), True
        while more:
            changes = await self._storage.changes_since(NOW, self.position)
            self.position, more = changes.position, changes.more
            found += [item[0] for item in changes.sessions] + [item[0] for item in changes.users]
        return found


async def with_sessions(storage: SQLStorage, most: int) -> str:
    user, credential = await added(storage)
    for number in range(most):
        await storage.add_session(a_session(user, number), credential, 100)
    return user.id


async def test_each_change_is_read_once(storage: SQLStorage) -> None:
    user_id, reader = await with_sessions(storage, 3), Reader(storage)

    assert await reader.read() == []
    for number in range(3):
        await storage.end_sessions(user_id, NOW + number, only=f"session-{number}")
        assert await reader.read() == [f"session-{number}"]
        assert await reader.read() == []


async def test_readers_beside_writers_miss_nothing_and_read_little_twice(storage: SQLStorage) -> None:
    user_id, reader, found = await with_sessions(storage, 24), Reader(storage), list[str]()
    await reader.read()

    async def end(lane: int) -> None:
        for number in range(lane, 24, 4):
            await storage.end_sessions(user_id, NOW, only=f"session-{number}")

    writers = asyncio.gather(*(end(lane) for lane in range(4)))
    while not writers.done():
        found += await reader.read()
        await asyncio.sleep(0)
    await writers
    found += await reader.read()

    assert set(found) == {f"session-{number}" for number in range(24)}


async def test_a_change_that_is_committed_late_is_read_whatever_was_read_before(server_storage: SQLStorage) -> None:
    user_id, reader = await with_sessions(server_storage, 9), Reader(server_storage)
    await reader.read()
    async with server_storage.transaction() as late, server_storage.transaction() as later:
        await late.end_sessions(user_id, NOW, only="session-0")
        for number in range(2, 9):
            await server_storage.end_sessions(user_id, NOW, only=f"session-{number}")
            assert await reader.read() == [f"session-{number}"]
        # It has no number and no transaction id yet.
        await later.end_sessions(user_id, NOW, only="session-1")
        assert await reader.read() == []

    assert sorted(await reader.read()) == ["session-0", "session-1"]
    assert await reader.read() == []


@asynccontextmanager
async def a_transaction_of_the_host(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(url)
    await connection.execute("BEGIN")
    yield connection
    await connection.close()


@pytest.mark.parametrize("driver", SERVERS)
async def test_a_ban_of_the_host_that_is_stamped_long_before_its_commit_is_read(driver: str, fresh: Fresh) -> None:
    url = fresh(driver)
    async with opened(driver, url) as storage, a_transaction_of_the_host(url) as host:
        user_id, reader = await with_sessions(storage, 4), Reader(storage)
        other, _ = await added(storage, 2)
        await reader.read()
        # As Django does at the end of a fixture; PREPARE TRANSACTION runs the triggers at once as well.
        await host.execute("SET CONSTRAINTS ALL IMMEDIATE; SAVEPOINT inner_one")
        await host.execute(f"UPDATE auth_users SET status = 'disabled' WHERE id = '{user_id}'")
        await host.execute("RELEASE inner_one")
        for number in range(5):
            await storage.update_user(other.id, {"roles": (str(number),)}, NOW)
            assert await reader.read() == [other.id]

        await host.execute("COMMIT")

        assert sorted(await reader.read()) == [*(f"session-{number}" for number in range(4)), user_id]


async def test_a_transaction_that_stays_open_makes_no_reading_longer(server_storage: SQLStorage) -> None:
    user_id = await with_sessions(server_storage, 1)
    async with server_storage.transaction() as late:
        await late.end_sessions(user_id, NOW)
        await server_storage.run(
            "INSERT INTO {changes} (session_id, at, expires_at) SELECT CAST(n AS TEXT), :now, :now "
            "FROM generate_series(1, 5000) AS n",
            {"now": NOW},
        )
        await server_storage.run("ANALYZE {changes}", {})
        await (reader := Reader(server_storage)).read()
        await server_storage.update_user(user_id, {"roles": ("admin",)}, NOW)

        plan = await explained(server_storage, feed.CHANGES_AFTER["postgresql"], reader)

    assert plan["Actual Rows"] == 1
    assert max(node["Actual Rows"] for node in nodes(plan)) < 10


async def explained(storage: SQLStorage, statement: str, reader: Reader) -> dict[str, Any]:
    """Read once more, and explain the statement with the values that it had."""
    sql, read, seen = storage.rendered(statement), storage._driver.read, dict[str, Any]()

    async def noting(text: str, values: Any, **options: Any) -> Any:
        seen[text] = values
        return await read(text, values, **options)

    storage._driver.read = noting  # type: ignore[method-assign, assignment]
    await reader.read()
    [row] = await read(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", seen[sql])
    plan: dict[str, Any] = json.loads(row["QUERY PLAN"])[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *itertools.chain.from_iterable(nodes(inner) for inner in plan.get("Plans", ()))]


async def test_rows_of_a_dump_from_another_server_are_not_read_again_and_again(server_storage: SQLStorage) -> None:
    user_id, reader = await with_sessions(server_storage, 1), Reader(server_storage)
    await server_storage.run(
        "INSERT INTO {changes} (session_id, at, expires_at, transaction_id) "
        "VALUES ('old', :now, :now, CAST('99999999999' AS xid8))",
        {"now": NOW},
    )

    assert await reader.read() == ["old"]
    assert await reader.read() == []
    await server_storage.end_sessions(user_id, NOW)
    assert await reader.read() == ["session-0"]


@pytest.mark.parametrize("how", ["restart", "crash", "kill"])
async def test_a_server_that_starts_again_is_read_anew(how: str) -> None:
    server = Server(18)
    storage = Postgres(server.database())
    await storage.migrate(NOW)
    try:
        user_id, reader = await with_sessions(storage, 1), Reader(storage)
        await storage.end_sessions(user_id, NOW)
        assert await reader.read() == ["session-0"]
        assert await reader.read() == []
        if how == "crash":
            # The server ends all connections, and recovers by itself.
            crash = "CREATE TABLE marks (n INT); COPY marks FROM PROGRAM 'kill -9 $PPID'"
            with pytest.raises(asyncpg.PostgresError):
                await (connection := await asyncpg.connect(server.dsn())).execute(crash)
            assert connection.is_closed()
        else:
            server.kill() if how == "kill" else server._process.send_signal(signal.SIGINT)  # type: ignore[union-attr]
            server._process.wait(20)  # type: ignore[union-attr]
        server.start()

        assert await reader.read() == ["session-0"]
        assert await reader.read() == []
    finally:
        await storage.close()
        server.close()


async def test_a_file_that_is_restored_in_place_is_read_anew(tmp_path: Path) -> None:
    """The numbers of the restored file pass the position before the next reading."""
    path, backup = tmp_path / "auth.db", sqlite3.connect(":memory:")
    storage = SQLite(path)
    await storage.migrate(NOW)
    user_id, reader = await with_sessions(storage, 9), Reader(storage)
    live = sqlite3.connect(path)
    live.backup(backup)
    for number in (0, 1):
        await storage.end_sessions(user_id, NOW, only=f"session-{number}")
    assert sorted(await reader.read()) == ["session-0", "session-1"]
    backup.backup(live)
    live.close()

    for number in (5, 6, 7, 8):
        await storage.end_sessions(user_id, NOW, only=f"session-{number}")

    assert sorted(await reader.read()) == ["session-5", "session-6", "session-7", "session-8"]
    assert await reader.read() == []
    await storage.close()
    backup.close()


async def test_the_position_outlives_a_purge(storage: SQLStorage) -> None:
    user_id, reader = await with_sessions(storage, 3), Reader(storage)
    await storage.end_sessions(user_id, NOW, only="session-0")
    await storage.end_sessions(user_id, NOW, only="session-1")
    await reader.read()
    await storage.purge(NOW + 10**8, 9)
    # It would not be among the changes since a time.
    user, credential = await added(storage, 2)
    await storage.add_session(a_session(user, 7, last_used_at=NOW - 900), credential, 9)
    await storage.end_sessions(user.id, NOW - 900)

    assert await reader.read() == ["session-7"]


async def test_a_standby_is_read_and_read_anew_when_it_serves_writes() -> None:
    server = Server(18)
    storage = Postgres(server.database())
    await storage.migrate(NOW)
    try:
        user_id = await with_sessions(storage, 1)
        await storage.end_sessions(user_id, NOW)
        server.kill()
        signal_file = server.base / "data" / "standby.signal"
        signal_file.touch()
        server.start()
        reader = Reader(storage)

        assert await reader.read() == ["session-0"]
        assert await reader.read() == []
        server.kill()
        signal_file.unlink()
        server.start()
        assert await reader.read() == ["session-0"]
    finally:
        await storage.close()
        server.close()
