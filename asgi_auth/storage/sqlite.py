"""SQLite by aiosqlite: write-ahead log, one writer, several readers, and what was acknowledged survives a power cut."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, ClassVar, Literal

import aiosqlite

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import ConflictError, Connection
from asgi_auth.storage.names import Names
from asgi_auth.storage.per_loop import PerLoop
from asgi_auth.storage.sql import SQLStorage

MEMORY = ":memory:"
POLL = 0.05
UNIQUE = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
AWAY = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PROTOCOL,
)


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
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    version: int = -1
    turn: Iterator[aiosqlite.Connection] = field(init=False)

    def __post_init__(self) -> None:
        self.turn = cycle(self.readers)

    @property
    def connections(self) -> list[aiosqlite.Connection]:
        return list({id(item): item for item in (self.writer, *self.readers)}.values())


class SQLiteDriver:
    """Runs statements on SQLite; each event loop has connections of its own, but memory has one for all."""

    dialect: ClassVar[Literal["sqlite", "postgresql"]] = "sqlite"

    def __init__(self, path: str, readers: int, timeout: float) -> None:
        """Take the path, the number of readers, and the seconds a write may wait."""
        self._path = path
        self._readers = readers
        self._timeout = timeout
        self._memory: aiosqlite.Connection | None = None
        self._loops: PerLoop[_Open] = PerLoop(self._discard)

    async def open(self) -> None:
        """Open a writer and the readers; memory shares its one connection."""
        if self._loops.get() is not None:
            return
        with _errors():
            if self._path == MEMORY:
                self._memory = self._memory or await self._connect()
                self._loops.set(_Open(self._memory, [self._memory]))
                return
            writer = await self._connect()
            readers = [await self._connect() for _ in range(self._readers)]
            self._loops.set(_Open(writer, readers))

    async def close(self) -> None:
        """Close what this loop has open."""
        opened = self._loops.pop()
        for connection in opened.connections if opened else []:
            await connection.close()
        if opened and opened.writer is self._memory:
            self._memory = None

    async def read(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run on the next reader."""
        opened = self._opened()
        if opened.writer is self._memory:
            return await self.write(sql, values)
        with _errors():
            return await _fetch(next(opened.turn), sql, values)

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run on the writer; a single statement is a transaction of its own."""
        opened = self._opened()
        async with self._turn(opened):
            with _errors():
                return await _fetch(opened.writer, sql, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Take the write lock at once, so that no transaction can fail half-way for want of it."""
        opened = self._opened()
        async with self._turn(opened):
            try:
                with _errors():
                    await _fetch(opened.writer, "BEGIN IMMEDIATE", {})
                    yield _Writer(opened.writer)
                    await opened.writer.commit()
            except BaseException:
                # The connection runs its calls in their order: even when this is cancelled, the rollback comes first.
                await asyncio.shield(opened.writer.rollback())
                raise

    async def lock_migrations(self, connection: Connection, key: str) -> None:
        """Do nothing: the transaction holds the write lock already."""

    async def announce(self, channel: str, connection: Connection | None) -> None:
        """Do nothing: the others see the file change."""

    async def wait(self, channel: str, seconds: float) -> None:
        """Look at the number that SQLite counts up with every commit of another connection."""
        opened = self._opened()
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            await asyncio.sleep(POLL)
            with _errors():
                rows = await _fetch(opened.readers[0], "PRAGMA data_version", {})
            version, opened.version = opened.version, rows[0]["data_version"]
            if opened.version != version:
                return

    def _opened(self) -> _Open:
        opened = self._loops.get()
        if opened is None:
            raise RuntimeError("the storage is not open; await storage.open() first")
        return opened

    @asynccontextmanager
    async def _turn(self, opened: _Open) -> AsyncIterator[None]:
        """Hold the writer; waiting is bounded."""
        try:
            async with asyncio.timeout(self._timeout):
                await opened.lock.acquire()
        except TimeoutError:
            raise StorageUnavailableError from None
        try:
            yield
        finally:
            opened.lock.release()

    async def _connect(self) -> aiosqlite.Connection:
        connecting = aiosqlite.connect(self._path, isolation_level=None, timeout=self._timeout)
        # A host may end without closing us; its interpreter must not wait for our thread then.
        connecting._thread.daemon = True  # noqa: SLF001 (there is no public way)
        connection = await connecting
        connection.row_factory = sqlite3.Row
        await _write_ahead(connection)
        for pragma in ("synchronous = FULL", "foreign_keys = ON"):
            await connection.execute_fetchall(f"PRAGMA {pragma}")
        return connection

    @staticmethod
    def _discard(opened: _Open) -> None:
        for connection in opened.connections:
            connection.stop()


class _Writer:
    """The writer inside a transaction."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        with _errors():
            return await _fetch(self._connection, sql, values)


async def _fetch(connection: aiosqlite.Connection, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return list(await connection.execute_fetchall(sql, values))  # type: ignore[arg-type]  # it takes names, too


async def _write_ahead(connection: aiosqlite.Connection) -> None:
    """Switch to the write-ahead log; while others do the same, SQLite refuses without waiting."""
    for attempt in range(50):
        try:
            await connection.execute_fetchall("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if attempt == 49:
                raise
            await asyncio.sleep(0.02)
        else:
            return


@contextmanager
def _errors() -> Iterator[None]:
    """Turn SQLite's errors into the contract's."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode in UNIQUE:
            raise ConflictError from error
        raise
    except sqlite3.Error as error:
        if (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in AWAY:
            raise StorageUnavailableError from error
        raise
