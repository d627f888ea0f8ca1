"""A SQLite file that is deleted, replaced or moved under a running process: nothing is acknowledged and lost."""

import asyncio
import itertools
import os
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.testing.records import NOW, a_user
from tests.support import EMAIL, make_auth, register

FILES = ("", "-wal", "-shm")
#: Seconds within which a file that is back is opened.
BACK = 10.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "auth.db"


@pytest.fixture(params=[True, False])
async def storage(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[SQLite]:
    """An open storage with one user, whose changes are followed as a running process follows them."""
    made = SQLite(path, reads_on_loop=request.param)
    await made.migrate(NOW)
    await made.add_user(a_user())
    follower = asyncio.create_task(follow(made))
    yield made
    follower.cancel()
    await made.close()


async def follow(storage: SQLite) -> None:
    while True:
        try:
            await storage.wait_for_change(1)
        except StorageUnavailableError:
            await asyncio.sleep(0.05)


def users(path: Path) -> set[str]:
    """The addresses in the file at a path, as another process reads them."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return {row[0] for row in connection.execute("SELECT email_canonical FROM auth_users")}
    finally:
        connection.close()


def backup(path: Path, to: Path) -> None:
    source, target = sqlite3.connect(path), sqlite3.connect(to)
    source.backup(target)
    source.close()
    target.close()


def delete(path: Path, *ends: str) -> None:
    for end in ends or FILES:
        path.with_name(path.name + end).unlink(missing_ok=True)


async def writes_again(storage: SQLite) -> str:
    """Write until it is acknowledged; return the address that was."""
    end = time.monotonic() + BACK
    for number in itertools.count(100):
        try:
            added = await storage.add_user(a_user(number))
        except StorageUnavailableError:
            assert time.monotonic() < end
            await asyncio.sleep(0.05)
        else:
            assert added is not None
            return added.email_canonical
    raise AssertionError


def content(path: Path) -> bytes | None:
    """The bytes of a file, if there is one."""
    return path.read_bytes() if path.exists() else None


def fork() -> None:
    """Fork a child that ends at once."""
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


async def by_transaction(storage: SQLite) -> None:
    async with storage.transaction() as inside:
        await inside.add_user(a_user(3))


@pytest.mark.parametrize("write", [lambda storage: storage.add_user(a_user(2)), by_transaction])
async def test_nothing_is_acknowledged_in_a_file_that_was_deleted(
    storage: SQLite, path: Path, write: Callable[[SQLite], Awaitable[object]]
) -> None:
    delete(path)

    for _ in range(3):
        with pytest.raises(StorageUnavailableError):
            await write(storage)
    with pytest.raises(StorageUnavailableError):
        await storage.user("user-1")
    await asyncio.sleep(0.3)
    with pytest.raises(StorageUnavailableError):
        await write(storage)
    assert content(path) is None


async def test_a_backup_that_takes_its_place_is_opened(
    storage: SQLite, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    backup(path, path.with_name("backup.db"))
    await storage.add_user(a_user(2))
    delete(path)
    with pytest.raises(StorageUnavailableError):
        await storage.add_user(a_user(3))
    shutil.copy(path.with_name("backup.db"), path)

    written = await writes_again(storage)

    assert users(path) == {"u1@example.com", written}
    assert await storage.user("user-2") is None
    assert caplog.text.count("was deleted, moved or replaced") == 1
    assert "end-everything" in caplog.text


async def test_a_backup_that_is_renamed_over_it_is_opened(storage: SQLite, path: Path) -> None:
    backup(path, path.with_name("backup.db"))
    delete(path, "-wal", "-shm")
    path.with_name("backup.db").rename(path)
    with pytest.raises(StorageUnavailableError):
        await storage.add_user(a_user(2))

    written = await writes_again(storage)

    assert users(path) == {"u1@example.com", written}


@pytest.mark.parametrize("statement", ["CREATE TABLE x (y)", "CREATE TABLE auth_users (id TEXT)", None])
async def test_another_database_in_its_place_is_not_opened(storage: SQLite, path: Path, statement: str | None) -> None:
    delete(path)
    connection = sqlite3.connect(path)
    if statement is not None:
        connection.execute(statement)
    connection.commit()
    connection.close()
    if statement is None:
        await asyncio.to_thread(path.write_bytes, b"no database")
    before = content(path)

    for _ in range(8):
        with pytest.raises(StorageUnavailableError):
            await storage.add_user(a_user(2))
        await asyncio.sleep(0.05)
    assert content(path) == before


async def test_a_folder_that_is_moved_away_and_back_goes_on(storage: SQLite, path: Path, tmp_path: Path) -> None:
    path.parent.rename(tmp_path / "elsewhere")
    with pytest.raises(StorageUnavailableError):
        await storage.add_user(a_user(2))
    (tmp_path / "elsewhere").rename(path.parent)

    written = await writes_again(storage)

    assert users(path) >= {"u1@example.com", written}


async def test_a_log_that_was_deleted_loses_nothing_that_was_acknowledged(storage: SQLite, path: Path) -> None:
    for number in range(2, 12):
        await storage.add_user(a_user(number))
    delete(path, "-wal")

    written = await writes_again(storage)

    await storage.close()
    assert users(path) >= {written, *(f"u{number}@example.com" for number in range(1, 12))}
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


async def test_a_relative_path_belongs_to_the_folder_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    storage = SQLite("auth.db")
    await storage.migrate(NOW)
    monkeypatch.chdir(tmp_path / "other")

    assert await storage.add_user(a_user())
    await storage.close()


async def test_a_fork_is_no_loss(storage: SQLite) -> None:
    """It closes the file, and SQLite deletes the log with the last connection."""
    for number in range(2, 6):
        fork()
        assert await storage.add_user(a_user(number))
        await asyncio.sleep(0.1)


async def test_registrations_are_refused_and_accepted_again(path: Path) -> None:
    async with make_auth(f"sqlite:///{path}") as auth:
        await register(auth, "first@example.com")
        backup(path, path.with_name("backup.db"))
        delete(path)
        with pytest.raises(StorageUnavailableError):
            await register(auth)
        path.with_name("backup.db").rename(path)

        end = time.monotonic() + BACK
        while True:
            try:
                await register(auth)
                break
            except StorageUnavailableError:
                assert time.monotonic() < end
                await asyncio.sleep(0.05)
    assert users(path) == {"first@example.com", EMAIL}
