"""The storage in a database that the host reaches with `databases.Database`: SQLite, or PostgreSQL with asyncpg."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

try:
    from databases import Database
except ImportError as _error:
    raise ImportError("a databases.Database needs the extra: pip install 'asgi-auth[databases]'") from _error

from asgi_auth.bounds.deadline import left
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.process.fork import leave_behind, renew_after_fork
from asgi_auth.storage.driver import Driver
from asgi_auth.storage.names import Names
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.sqlite import SQLiteDriver
from asgi_auth.storage.sqlite_connection import MEMORY

READERS = 2


class Databases(SQLStorage):
    """Stores everything in the database of a `databases.Database`.

    The database is connected if the host has not connected it, and only then disconnected again. Statements run on
    connections of their own: they join no transaction of the host, and `force_rollback` does not undo them.

    * SQLite: the file is opened as by `SQLite(path)`; options of the `Database` are not used. Memory is refused.
    * PostgreSQL: connections come from the host's pool, which belongs to one event loop. Changes by other processes
      are noticed within half a second. `Postgres(dsn)` notices them at once, and is faster.

    `timeout` bounds every call, in seconds.
    """

    def __init__(self, database: Database, names: Names | None = None, *, timeout: float = 5.0) -> None:
        """Open nothing yet. Raises ValueError for another database, for SQLite in memory or with a schema."""
        self._pool = _Pool(lambda: self._database)
        if database.url.dialect == "sqlite":
            if names and names.schema:
                raise ValueError("SQLite has no schemas; use a prefix")
            if database.url.database in {"", MEMORY} or "mode" in database.url.options:
                raise ValueError("SQLite in memory cannot be shared with the host; give a file")
            driver: Driver = SQLiteDriver(database.url.database, READERS, timeout)
        elif database.url.dialect in {"postgresql", "postgres"} and database.url.driver in {"", "asyncpg"}:
            from asgi_auth.storage.postgres_driver import PostgresDriver  # noqa: PLC0415 (SQLite needs no asyncpg)

            pool: Any = self._pool
            driver = PostgresDriver(None, pool, listen=(None, {}), max_size=0, timeout=timeout, connect={})
        else:
            raise ValueError("the database must be SQLite, or PostgreSQL with asyncpg")
        super().__init__(driver, names)
        self._database = database
        self._timeout = timeout
        self._connected = False
        renew_after_fork(self)

    def renew(self) -> None:
        """Take a new `Database` in a forked child, if this one is connected: its pool belongs to the parent."""
        self._pool.renew()
        if self._database.is_connected:
            leave_behind(self._database)
            self._database = Database(self._database.url, **self._database.options)
            self._connected = False

    async def open(self) -> None:
        """Connect the database, unless the host has connected it."""
        if not self._database.is_connected:
            try:
                await asyncio.wait_for(self._database.connect(), left(self._timeout))
            except OSError as error:  # also TimeoutError
                raise StorageUnavailableError from error
            self._connected = True
        await super().open()

    async def close(self) -> None:
        """Disconnect the database if `open` connected it."""
        await super().close()
        if self._connected:
            self._connected = False
            with suppress(TimeoutError):
                await asyncio.wait_for(self._database.disconnect(), self._timeout)


class _Pool:
    """The two methods of an asyncpg pool that the driver calls, over the pool of a `databases.Database`."""

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database
        self._acquired: dict[Any, Any] = {}

    def renew(self) -> None:
        """Forget the connections that calls of the parent hold, in a forked child."""
        leave_behind(self._acquired)
        self._acquired = {}

    async def acquire(self) -> Any:
        # `Database.connection()` is public, but returns the connection that the host uses in this task. This private
        # attribute is the reason for the upper bound in pyproject.toml.
        connection = self._database()._backend.connection()  # noqa: SLF001
        await connection.acquire()
        self._acquired[connection.raw_connection] = connection
        return connection.raw_connection

    async def release(self, raw: Any) -> None:
        await self._acquired.pop(raw).release()
