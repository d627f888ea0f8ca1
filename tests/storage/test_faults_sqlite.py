"""A SQLite file that is locked, or a disk that is full."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage import from_url
from asgi_auth.storage.sqlite import SQLiteDriver
from asgi_auth.storage.sqlite_connection import ThreadedConnection
from asgi_auth.testing.records import MIGRATIONS, NOW, a_credential, a_user, added
from tests.storage.conftest import opened, refused

Fresh = Callable[[str], str]
HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


@contextmanager
def held(path: str, seconds: float) -> Iterator[None]:
    """Hold a SQLite file in another process."""
    command = [sys.executable, "-c", HOLD, path, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.kill()


@pytest.mark.parametrize("driver", ["sqlite", "databases-sqlite"])
async def test_a_file_that_another_process_locks_is_waited_for(driver: str, fresh: Fresh, tmp_path: Path) -> None:
    async with opened(driver, fresh(driver), timeout=3) as storage:
        with held(str(tmp_path / "auth.db"), 0.5):
            assert await storage.add_user(a_user())


@pytest.mark.parametrize("driver", ["sqlite", "databases-sqlite"])
async def test_a_file_that_is_locked_too_long_is_refused_in_time(driver: str, fresh: Fresh, tmp_path: Path) -> None:
    async with opened(driver, fresh(driver), timeout=0.3) as storage:
        with held(str(tmp_path / "auth.db"), 60):
            await refused(lambda: storage.add_user(a_user()), 1.5)
            await refused(lambda: storage.end_sessions("user-1", NOW), 1.5)
            assert await storage.user("user-1") is None

        assert await storage.add_user(a_user())


@pytest.mark.parametrize("driver", ["sqlite", "databases-sqlite", "memory"])
async def test_waiting_for_a_turn_to_write_is_bounded(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver), timeout=1) as storage, storage.transaction():
        await refused(lambda: storage.add_user(a_user()), 3)


async def test_a_full_disk_is_refused_and_recovers(fresh: Fresh) -> None:
    async with opened("sqlite", fresh("sqlite")) as storage:
        assert isinstance(storage._driver, SQLiteDriver)
        writer = storage._driver._state_of_loop().writer
        [row] = await writer.fetch("PRAGMA page_count", {})
        await writer.fetch(f"PRAGMA max_page_count = {row['page_count']}", {})
        large = {"text": "x" * 100_000}

        await refused(lambda: storage.add_user(a_user(data=large), a_credential(a_user())), 1)
        assert await storage.user("user-1") is None
        await writer.fetch("PRAGMA max_page_count = 100000", {})

        assert await storage.add_user(a_user(data=large), a_credential(a_user()))


async def test_what_was_acknowledged_is_on_the_disk(fresh: Fresh, tmp_path: Path) -> None:
    async with opened("sqlite", fresh("sqlite")) as storage:
        assert isinstance(storage._driver, SQLiteDriver)
        [row] = await storage._driver._state_of_loop().writer.fetch("PRAGMA synchronous", {})

        await added(storage)

        assert row["synchronous"] == 2
        with sqlite3.connect(tmp_path / "auth.db") as other:
            assert other.execute("SELECT id FROM auth_users").fetchall() == [("user-1",)]
        other.close()


class NoReader:
    """A connection that can't be used."""

    def __init__(self, error: sqlite3.Error | None = None) -> None:
        self.error = error
        self.asked = 0

    def __iter__(self) -> "NoReader":
        return self

    def __next__(self) -> NoReturn:
        raise AssertionError("a thread was asked")

    def run(self, _: object) -> NoReturn:
        self.asked += 1
        assert self.error is not None
        raise self.error

    def close(self) -> None:
        """It was never open."""


async def test_a_row_is_looked_up_without_a_thread(fresh: Fresh) -> None:
    async with opened("sqlite", fresh("sqlite")) as storage:
        user, credential = await added(storage)
        driver: Any = storage._driver
        driver._state_of_loop().next_reader = NoReader()

        assert await storage.user(user.id) == user
        assert await storage.user_with_credential(user.email_canonical, "password") == (user, credential)
        assert await storage.access("nobody", NOW) is None
        with pytest.raises(AssertionError, match="a thread was asked"):
            await storage.sessions(user.id, NOW, 0)


async def test_a_row_that_must_be_waited_for_is_looked_up_in_a_thread(fresh: Fresh) -> None:
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    async with opened("sqlite", fresh("sqlite")) as storage:
        user, _ = await added(storage)
        driver: Any = storage._driver
        loop_connection = driver._state_of_loop().loop_connection
        driver._state_of_loop().loop_connection = refusing = NoReader(busy)

        assert await storage.user(user.id) == user

        assert refusing.asked == 1
        loop_connection.close()


async def test_what_looks_rows_up_can_write_nothing(fresh: Fresh) -> None:
    async with opened("sqlite", fresh("sqlite")) as storage:
        driver: Any = storage._driver

        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            driver._state_of_loop().loop_connection.run(lambda raw: raw.execute("DELETE FROM auth_users"))


async def test_reads_on_the_loop_can_be_switched_off(fresh: Fresh) -> None:
    async with opened("sqlite", fresh("sqlite"), reads_on_loop=False) as storage:
        user, _ = await added(storage)
        driver: Any = storage._driver
        state = driver._state_of_loop()

        assert state.loop_connection is None
        assert await storage.user(user.id) == user
        state.next_reader = NoReader()
        with pytest.raises(AssertionError, match="a thread was asked"):
            await storage.user(user.id)


async def test_a_call_after_the_connection_is_closed_is_refused(tmp_path: Path) -> None:
    connection = ThreadedConnection(str(tmp_path / "auth.db"), 1)

    await connection.close()
    await connection.close()

    with pytest.raises(StorageUnavailableError):
        await connection.fetch("SELECT 1", {})


async def test_calls_made_before_the_connection_is_closed_are_answered(tmp_path: Path) -> None:
    connection = ThreadedConnection(str(tmp_path / "auth.db"), 1)
    calls = [asyncio.ensure_future(connection.fetch("SELECT 1 AS one", {})) for _ in range(9)]
    await asyncio.sleep(0)

    await connection.close()

    assert [row["one"] for [row] in await asyncio.gather(*calls)] == [1] * 9


@pytest.mark.parametrize("driver", ["sqlite", "memory"])
def test_a_program_that_does_not_close_the_storage_ends_without_a_warning(driver: str, fresh: Fresh) -> None:
    script = f"""if True:
        import asyncio
        from asgi_auth.storage import from_url
        storage = from_url({fresh(driver)!r})
        print(len(asyncio.run(storage.migrate())))
    """
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)

    assert (done.stdout, done.stderr, done.returncode) == (f"{len(MIGRATIONS)}\n", "", 0)


@pytest.mark.parametrize("cancelled_after", [0.3, None])
async def test_opening_a_locked_file_is_bounded_and_can_be_cancelled(
    tmp_path: Path, cancelled_after: float | None
) -> None:
    path, timeout = str(tmp_path / "auth.db"), 0.2
    started = asyncio.get_running_loop().time()
    with held(path, 30):
        driver = SQLiteDriver(path, 1, timeout)
        with pytest.raises((TimeoutError, StorageUnavailableError)):
            await asyncio.wait_for(driver.open(), cancelled_after)

    assert asyncio.get_running_loop().time() - started < 10 * timeout


async def test_a_close_that_is_cancelled_leaves_no_connection_open(tmp_path: Path) -> None:
    driver = SQLiteDriver(str(tmp_path / "auth.db"), 3, 4.0)
    await driver.open()
    state = driver._state_of_loop()
    working, gate = threading.Event(), threading.Event()

    def work(_raw: sqlite3.Connection) -> None:
        working.set()
        gate.wait(10)

    busy = [asyncio.ensure_future(connection.run(work)) for connection in state.connections]
    await asyncio.to_thread(working.wait)
    closing = asyncio.ensure_future(driver.close())
    await asyncio.sleep(0.05)
    closing.cancel()
    gate.set()
    await asyncio.gather(closing, *busy, return_exceptions=True)

    for connection in state.connections:
        await asyncio.to_thread(connection._thread.join, 5)
        assert not connection._thread.is_alive()


async def test_a_file_that_cannot_be_made_is_named_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(StorageUnavailableError) as failed:
        await from_url("sqlite:///missing/auth.db").open()

    assert f"{tmp_path}/missing/auth.db: its folder must exist" in str(failed.value.__cause__)
