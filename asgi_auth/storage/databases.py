"""A `databases.Database` that the host already has, on SQLite or PostgreSQL, kept to the same contract."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiosqlite

try:
    from databases import Database
except ImportError as _error:
    raise ImportError("a databases.Database needs the extra: pip install 'asgi-auth[databases]'") from _error

from asgi_auth._per_loop import PerLoop
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import Connection, T
from asgi_auth.storage.names import Names
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.sqlite import MEMORY, SQLiteDriver, fetch, immediate, set_up, turn, write_ahead
from asgi_auth.storage.sqlite_errors import errors

POLL = 0.5


class Databases(SQLStorage):
    """The tables in a database that the host reaches by `databases`.

    It is connected if it isn't, and only then disconnected again. Limits: our statements run on connections of their
    own, so they belong to no transaction of the host's, nor to `force_rollback`; other processes are noticed within
    half a second; SQLite opens the file anew for each call, as `databases` does, and can't be memory; PostgreSQL takes
    connections from the host's pool, which lives in one event loop. `SQLite` and `Postgres` are faster.
    """

    def __init__(self, database: Database, names: Names | None = None, *, timeout: float = 5.0) -> None:
        """Take the database; nothing is opened yet. `timeout` bounds every call, in seconds."""
        if database.url.dialect == "sqlite":
            if names and names.schema:
                raise ValueError("SQLite has no schemas; use a prefix")
            if database.url.database in {"", MEMORY} or "mode" in database.url.options:
                raise ValueError("SQLite's memory belongs to one connection; give a file")
            super().__init__(_OverSQLite(database, timeout), names)
        elif database.url.dialect in {"postgresql", "postgres"} and database.url.driver in {"", "asyncpg"}:
            from asgi_auth.storage.postgres import PostgresDriver  # noqa: PLC0415 (asyncpg is loaded when it is used)

            pool: Any = _Pool(database)
            super().__init__(
                PostgresDriver(None, pool, listen_dsn=None, max_size=0, timeout=timeout, connect={}), names
            )
        else:
            raise ValueError("the database must be SQLite, or PostgreSQL by asyncpg")
        self._host = database
        self._timeout = timeout
        self._connected = False

    async def open(self) -> None:
        """Connect the database, unless the host has."""
        if not self._host.is_connected:
            try:
                await asyncio.wait_for(self._host.connect(), self._timeout)
            except OSError:  # TimeoutError is one
                raise StorageUnavailableError from error
            self._connected = True
        await super().open()

    async def close(self) -> None:
        """Disconnect the database, if it was connected here."""
        await super().close()
        if self._connected:
            self._connected = False
            with suppress(TimeoutError):
                await asyncio.wait_for(self._host.disconnect(), self._timeout)


class _OverSQLite(SQLiteDriver):
    """Opens the file for each call: nothing is left open, and a host that never closes us can end."""

    def __init__(self, database: Database, timeout: float) -> None:
        super().__init__(database.url.database, 0, timeout)
        self._database = database
        # SQLite lets the writers that wait sleep longer and longer, in no order; taking turns is twice as fast.
        self._locks: PerLoop[asyncio.Lock] = PerLoop(lambda _: None)

    async def open(self) -> None:
        """Set the write-ahead log, which stays in the file."""
        async with self._connection() as connection:
            await write_ahead(connection)

    async def read(self, sql: str, values: Mapping[str, Any], *, by_key: bool = False) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002 (it says nothing of where the database is)
        async with self._connection() as connection:
            return await fetch(connection, sql, values)

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return await self.atomically(lambda connection: connection.fetch(sql, values))

    async def atomically(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self.transaction() as connection:
            return await work(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        lock = self._locks.get() or self._locks.set(asyncio.Lock())
        async with turn(lock, self._timeout), self._connection() as connection, immediate(connection) as inside:
            yield inside

    async def wait(self, channel: str, seconds: float) -> None:  # noqa: ARG002 (there is none)
        await asyncio.sleep(min(seconds, POLL))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosqlite.Connection]:
        held = self._database._backend.connection()  # noqa: SLF001 (`Database.connection()` is shared with the host)
        # Cancelled half-way, aiosqlite would forget the file that it has just opened.
        asked = asyncio.ensure_future(held.acquire())
        try:
            with errors():
                await asyncio.shield(asked)
            raw: aiosqlite.Connection = held.raw_connection
            await set_up(raw, self._timeout)
            yield raw
        finally:
            await asyncio.shield(self._release(asked, held))

    async def _release(self, asked: asyncio.Future[None], held: Any) -> None:
        await asyncio.wait([asked])
        if asked.exception() is None:
            await held.release()


class _Pool:
    """As much of an asyncpg pool as the driver uses."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[Any, Any] = {}

    async def acquire(self) -> Any:
        held = self._database._backend.connection()  # noqa: SLF001 (`Database.connection()` is shared with the host)
        await held.acquire()
        self._held[held.raw_connection] = held
        return held.raw_connection

    async def release(self, connection: Any) -> None:
        await self._held.pop(connection).release()
