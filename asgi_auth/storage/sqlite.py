"""SQLite by aiosqlite: write-ahead log, one writer, several readers, and what was acknowledged survives a power cut."""

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, ClassVar, Literal

import aiosqlite

from asgi_auth._per_loop import PerLoop
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import Connection, T
from asgi_auth.storage.names import Names
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.sqlite_errors import errors
from asgi_auth.storage.sqlite_writer import GroupCommit

MEMORY = ":memory:"
POLL = 0.05

if (log := logging.getLogger("aiosqlite")).level == logging.NOTSET:
    # At DEBUG it writes every statement with its values: addresses, hashes and digests (ASVS 16.2.5).
    log.setLevel(logging.INFO)


class SQLite(SQLStorage):
    """A SQLite file, or memory.

    `timeout` is how many seconds a write waits for its turn in this process, and again for other processes; then it
    is refused. Memory (`:memory:`) is one connection for all, gone with the process.
    """

    def __init__(
        self, path: str | Path = MEMORY, *, names: Names | None = None, readers: int = 2, timeout: float = 4.0
    ) -> None:
        """Take the path; nothing is opened yet."""
        if names and names.schema:
            raise ValueError("SQLite has no schemas; use a prefix")
        super().__init__(SQLiteDriver(str(path), readers, timeout), names)


@dataclass
class _Open:
    """What one event loop has open."""

    writer: aiosqlite.Connection
    readers: list[aiosqlite.Connection]
    lock: asyncio.Lock
    group: GroupCommit
    here: sqlite3.Connection | None
    version: int = -1
    turn: Iterator[aiosqlite.Connection] = field(init=False)

    def __post_init__(self) -> None:
        self.turn = cycle(self.readers)

    @property
    def connections(self) -> list[aiosqlite.Connection]:
        return list({id(item): item for item in (self.writer, *self.readers)}.values())


class SQLiteDriver:
    """Runs statements on SQLite; each event loop has connections of its own, but memory has one for all."""

    dialect: ClassVar[Literal["sqlite"]] = "sqlite"

    def __init__(self, path: str, readers: int, timeout: float) -> None:
        """Take the path, the number of readers, and the seconds a write may wait."""
        self._path = path
        self._readers = readers
        self._timeout = timeout
        self._memory: aiosqlite.Connection | None = None
        self._between_loops = threading.Lock() if path == MEMORY else None
        self._loops: PerLoop[_Open] = PerLoop(self._discard)

    async def open(self) -> None:
        """Open a writer and the readers; memory shares its one connection."""
        if self._loops.get() is not None:
            return
        if self._memory is not None:
            self._loops.set(self._opening(self._memory, [self._memory]))
            return
        connections: list[aiosqlite.Connection] = []
        try:
            for _ in range(1 if self._path == MEMORY else 1 + self._readers):
                connections += [await self._connect()]
            # Somebody else may have been faster meanwhile.
            if self._loops.get() is None and self._memory is None:
                self._loops.set(self._opening(connections[0], connections[1:] or connections))
                self._memory = connections[0] if self._path == MEMORY else None
                connections = []
        finally:
            for connection in connections:
                await asyncio.shield(connection.close())
        await self.open()

    async def close(self) -> None:
        """Close what this loop has open; memory ends with the last loop that has it open."""
        opened = self._loops.pop()
        if opened is None or (opened.writer is self._memory and len(self._loops)):
            return
        self._memory = None
        if opened.here is not None:
            opened.here.close()
        for connection in opened.connections:
            await connection.close()

    async def read(self, sql: str, values: Mapping[str, Any], *, by_key: bool = False) -> Sequence[Mapping[str, Any]]:
        """Run on the next reader; `by_key` at once, as a hop to another thread would take ten times as long."""
        opened = self._opened()
        if opened.writer is self._memory:
            return await self.write(sql, values)
        if by_key and opened.here is not None:
            with suppress(StorageUnavailableError), errors():
                return opened.here.execute(sql, values).fetchall()
        # Readers of a write-ahead log needn't wait; where one must, it is there.
        return await fetch(next(opened.turn), sql, values)

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run on the writer; a single statement is a transaction of its own."""
        return await self.atomically(lambda connection: connection.fetch(sql, values))

    async def atomically(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run on the writer, with others that wait in one commit."""
        with errors():
            return await self._opened().group.run(work)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Hold the writer, and the lock of the file."""
        opened = self._opened()
        async with turn(opened.lock, self._timeout, self._between_loops), immediate(opened.writer) as connection:
            yield connection

    async def lock_migrations(self, connection: Connection, key: str) -> None:
        """Do nothing: the transaction holds the write lock already."""

    async def announce(self, channel: str, connection: Connection | None) -> None:
        """Do nothing: the others see the file change."""

    async def wait(self, channel: str, seconds: float) -> None:  # noqa: ARG002 (the file is the channel)
        """Look at the number that SQLite counts up with every commit of another connection."""
        opened = self._opened()
        if opened.writer is self._memory:
            await asyncio.sleep(seconds)
            return
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(POLL, left))
            rows = await fetch(opened.readers[0], "PRAGMA data_version", {})
            version, opened.version = opened.version, rows[0]["data_version"]
            if opened.version != version:
                return

    def _opened(self) -> _Open:
        opened = self._loops.get()
        if opened is None:
            raise RuntimeError("the storage is not open; await storage.open() first")
        return opened

    def _opening(self, writer: aiosqlite.Connection, readers: list[aiosqlite.Connection]) -> _Open:
        lock = asyncio.Lock()
        group = GroupCommit(writer, lambda: turn(lock, self._timeout, self._between_loops))
        return _Open(writer, readers, lock, group, None if self._path == MEMORY else in_this_thread(self._path))

    async def _connect(self) -> aiosqlite.Connection:
        connecting = aiosqlite.connect(self._path, isolation_level=None, timeout=self._timeout)
        # A host may end without closing us; its interpreter must not wait for our thread then.
        connecting._thread.daemon = True  # noqa: SLF001 (there is no public way)
        # Cancelled half-way, aiosqlite would forget the file that it has just opened.
        asked = asyncio.ensure_future(connecting)
        try:
            with errors():
                connection = await asyncio.shield(asked)
            await write_ahead(connection)
            await set_up(connection, self._timeout)
        except BaseException:
            await asyncio.shield(self._abandon(asked, connecting._thread))  # noqa: SLF001 (there is no public way)
            raise
        return connection

    async def _abandon(self, asked: asyncio.Future[aiosqlite.Connection], thread: threading.Thread) -> None:
        await asyncio.wait([asked])
        if asked.exception() is None:
            await asked.result().close()
        # aiosqlite doesn't wait for its thread; its answer would come to a loop that may have ended.
        await asyncio.to_thread(thread.join)

    def _discard(self, opened: _Open) -> None:
        if opened.here is not None:
            opened.here.close()
        for connection in opened.connections:
            if connection is not self._memory:
                # In a thread without a loop it doesn't answer; an answer to a loop that ends meanwhile would fail.
                stopping = threading.Thread(target=connection.stop)
                stopping.start()
                stopping.join()


class _InTransaction:
    """A connection inside a transaction."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return await fetch(self._connection, sql, values)


@asynccontextmanager
async def turn(lock: asyncio.Lock, bound: float, between: "threading.Lock | None" = None) -> AsyncIterator[None]:
    """Wait for one's turn to write, among the tasks of a loop and then `between` loops; waiting is bounded."""
    try:
        async with asyncio.timeout(bound):
            await lock.acquire()
    except TimeoutError:
        raise StorageUnavailableError from None
    try:
        end = time.monotonic() + bound
        while between is not None and not between.acquire(blocking=False):
            if time.monotonic() > end:
                raise StorageUnavailableError
            await asyncio.sleep(0.002)
        try:
            yield
        finally:
            if between is not None:
                between.release()
    finally:
        lock.release()


@asynccontextmanager
async def immediate(connection: aiosqlite.Connection) -> AsyncIterator[Connection]:
    """Take the write lock at once, so that no transaction can fail half-way for want of it."""
    try:
        await fetch(connection, "BEGIN IMMEDIATE", {})
        yield _InTransaction(connection)
        await fetch(connection, "COMMIT", {})
    except BaseException:
        # The connection runs its calls in their order: even when this is cancelled, the rollback comes first.
        await asyncio.shield(connection.rollback())
        raise


async def fetch(connection: aiosqlite.Connection, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Run a statement and read its rows, in one call of the connection's thread: it can't be cancelled half-way."""
    with errors():
        return list(await connection.execute_fetchall(sql, values))  # type: ignore[arg-type]  # it takes names, too


def in_this_thread(path: str) -> sqlite3.Connection:
    """Open a connection that reads, and waits for nothing; who lets go of it may be another thread."""
    with errors():
        connection = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA query_only = ON")
    return connection


async def set_up(connection: aiosqlite.Connection, bound: float) -> None:
    """Have rows by name, bounded waits, the disk written at each commit, and foreign keys kept."""
    connection.row_factory = sqlite3.Row
    for pragma in (f"busy_timeout = {int(bound * 1000)}", "synchronous = FULL", "foreign_keys = ON"):
        await fetch(connection, f"PRAGMA {pragma}", {})


async def write_ahead(connection: aiosqlite.Connection) -> None:
    """Switch to the write-ahead log; while others do the same, SQLite refuses without waiting."""
    for attempt in range(50):
        try:
            await fetch(connection, "PRAGMA journal_mode = WAL", {})
        except StorageUnavailableError:
            if attempt == 49:
                raise
            await asyncio.sleep(0.02)
        else:
            return
