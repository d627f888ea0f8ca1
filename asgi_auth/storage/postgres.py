"""PostgreSQL by asyncpg: its own pool or the host's, bounded waits, and LISTEN for what other processes change."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

try:
    import asyncpg
except ImportError as _error:  # pragma: no cover (the tests install every extra)
    raise ImportError("PostgreSQL needs the extra: pip install 'asgi-auth[postgres]'") from _error

from asgi_auth._per_loop import PerLoop
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import Connection, T
from asgi_auth.storage.names import Names
from asgi_auth.storage.postgres_connection import (
    AWAY,
    Held,
    InTransaction,
    commit,
    errors,
    execute,
    fetch,
    give_up,
    roll_back,
)
from asgi_auth.storage.postgres_pool import Connections, HostPool, OwnConnections
from asgi_auth.storage.sql import SQLStorage

logger: logging.Logger = logging.getLogger("asgi_auth")
POLL = 0.5


class Postgres(SQLStorage):
    """A PostgreSQL database.

    Give a `dsn`, or a `pool` of the host's (then it is never closed here, and without a `listen_dsn` the changes of
    other processes are looked for twice a second). `timeout` bounds in seconds the wait for a connection together with
    the transaction that runs on it. Behind pgbouncer in transaction mode set `statement_cache_size=0`, and `listen_dsn`
    to the server itself: LISTEN doesn't pass through it.
    """

    def __init__(
        self,
        dsn: str | None = None,
        *,
        pool: "asyncpg.Pool[Any] | None" = None,
        listen_dsn: str | None = None,
        names: Names | None = None,
        max_size: int = 10,
        timeout: float = 5.0,
        **connect: Any,
    ) -> None:
        """Take the address or the pool; nothing is opened yet. `connect` goes to asyncpg, as `ssl`."""
        if (dsn is None) == (pool is None):
            raise ValueError("give a dsn or a pool, one of the two")
        if max_size < 1:
            raise ValueError("max_size is one connection at least")
        driver = PostgresDriver(dsn, pool, listen_dsn=listen_dsn, max_size=max_size, timeout=timeout, connect=connect)
        super().__init__(driver, names)


@dataclass
class _Open:
    """What one event loop has open."""

    connections: Connections
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    listener: "asyncpg.Connection[Any] | None" = None
    deaf: bool = False


class PostgresDriver:
    """Runs statements on PostgreSQL; each event loop has a pool of its own."""

    dialect: ClassVar[Literal["postgresql"]] = "postgresql"

    def __init__(
        self,
        dsn: str | None,
        pool: "asyncpg.Pool[Any] | None",
        *,
        listen_dsn: str | None,
        max_size: int,
        timeout: float,
        connect: dict[str, Any],
    ) -> None:
        """Take the address or the pool, and the bounds."""
        self._dsn = dsn
        self._given = pool
        self._listen_dsn = listen_dsn or dsn
        self._max_size = max_size
        self._timeout = timeout
        self._connect = connect
        self._loops: PerLoop[_Open] = PerLoop(self._discard)

    async def open(self) -> None:
        """Prepare; the first statement connects."""
        if self._loops.get() is not None:
            return

        async def connect() -> Held:
            found: Held = await asyncpg.connect(self._dsn, timeout=self._timeout, **self._connect)
            return found

        self._loops.set(_Open(HostPool(self._given) if self._given else OwnConnections(connect, self._max_size)))

    async def close(self) -> None:
        """Close the listener, and our connections."""
        opened = self._loops.pop()
        if opened is None:
            return
        if opened.listener is not None:
            opened.listener.terminate()
        try:
            with suppress(*AWAY):
                async with asyncio.timeout(self._timeout):
                    await opened.connections.close()
        finally:
            opened.connections.terminate()

    async def read(self, sql: str, values: Mapping[str, Any], *, by_key: bool = False) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002 (for databases in the same process)
        """Run in a transaction of its own."""
        return await self.write(sql, values)

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run in a transaction of its own."""
        async with self._acquire() as connection:
            return await fetch(connection, sql, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Begin, commit; or roll back, and give the connection up when even that doesn't work."""
        async with self._acquire() as connection:
            try:
                await execute(connection, "BEGIN")
                yield InTransaction(connection)
                await commit(connection)
            except BaseException:
                await asyncio.shield(roll_back(connection))
                raise

    async def atomically(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run in a transaction."""
        async with self.transaction() as connection:
            return await work(connection)

    async def lock_migrations(self, connection: Connection, key: str) -> None:
        """Take an advisory lock that ends with the transaction (a session's lock would leak through pgbouncer)."""
        await connection.fetch("SELECT pg_advisory_xact_lock(hashtext(:key))", {"key": key})

    async def announce(self, channel: str, connection: Connection | None) -> None:
        """Notify the listeners."""
        sql, values = "SELECT pg_notify(:channel, '')", {"channel": channel}
        if connection is not None:
            await connection.fetch(sql, values)
            return
        # The change is committed: that the message was lost must not make it look failed.
        with suppress(StorageUnavailableError):
            await self.write(sql, values)

    async def wait(self, channel: str, seconds: float) -> None:
        """Wait for a notification; while the listener can't connect, only for the time."""
        if self._listen_dsn is None:
            await asyncio.sleep(min(seconds, POLL))
            return
        opened = self._opened()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                if opened.listener is None or opened.listener.is_closed():
                    await self._listen(opened, channel)
                await opened.changed.wait()
        opened.changed.clear()

    async def _listen(self, opened: _Open, channel: str) -> None:
        """Connect the listener. What was missed meanwhile is read by the next look at the tables."""
        listener = None
        try:
            listener = await asyncpg.connect(self._listen_dsn, **self._connect)
            await listener.add_listener(channel, lambda *_: opened.changed.set())
            listener.add_termination_listener(lambda *_: opened.changed.set())
            opened.listener, listener, opened.deaf = listener, None, False
            opened.changed.set()
        except (*AWAY, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if isinstance(error, TimeoutError):
                raise
            if not opened.deaf:
                logger.warning("asgi_auth can't listen for changes and looks for itself: %s", type(error).__name__)
            opened.deaf = True
        finally:
            if listener is not None:
                listener.terminate()

    @asynccontextmanager
    async def _acquire(self) -> AsyncIterator[Held]:
        """Take a connection for a bounded time; what the block itself raises goes through as it is."""
        connections = self._opened().connections
        try:
            async with asyncio.timeout(self._timeout) as bound:
                with errors():
                    connection = await connections.acquire()
                try:
                    yield connection
                except asyncio.CancelledError:
                    give_up(connection)
                    raise
                finally:
                    with errors():
                        await connections.release(connection)
        except TimeoutError:
            if bound.expired():
                raise StorageUnavailableError from error
            raise

    def _discard(self, opened: _Open) -> None:
        """Give up what belonged to a loop that was closed: it can't be talked to any more."""
        opened.connections.terminate()

    def _opened(self) -> _Open:
        opened = self._loops.get()
        if opened is None:
            raise RuntimeError("the storage is not open; await storage.open() first")
        return opened
