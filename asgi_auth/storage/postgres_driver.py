"""The driver of PostgreSQL: a pool of its own or that of the host, bounded waits, and LISTEN for changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, Literal

import asyncpg

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.breaker import Breaker
from asgi_auth.bounds.deadline import Deadline
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import Connection, T
from asgi_auth.storage.postgres_connection import (
    UNAVAILABLE,
    WatchedConnection,
    connect,
    errors,
    is_alive,
    is_lost,
    is_read_only,
    terminate,
)
from asgi_auth.storage.postgres_examination import Examination, examine
from asgi_auth.storage.postgres_host_order import HostOrder
from asgi_auth.storage.postgres_host_pool import HostPool, Pool
from asgi_auth.storage.postgres_listener import Listener
from asgi_auth.storage.postgres_pool import OwnPool

#: Seconds between polls for changes by other processes when no connection can listen for them.
POLL = 0.5


@dataclass
class _LoopState:
    """The pool and the listener of one event loop."""

    pool: Pool
    breaker: Breaker
    listener: Listener | None = None


class PostgresDriver:
    """Runs statements on PostgreSQL. Each event loop has a pool of its own, unless the host gives one."""

    dialect: ClassVar[Literal["postgresql"]] = "postgresql"

    def __init__(
        self,
        dsn: str | None,
        pool: "asyncpg.Pool[Any] | None",
        *,
        listen: tuple[str | None, dict[str, Any]] = (None, {}),
        max_size: int,
        timeout: float,
        connect: dict[str, Any],
    ) -> None:
        """Connect nowhere yet. The parameters are those of `Postgres`; `listen` is a URL with its arguments."""
        self._dsn = dsn
        self._pool = pool
        self._listen_dsn = listen[0]
        self._listen_options = {"timeout": timeout, **listen[1]}
        self._max_size = max_size
        self.timeout = timeout
        self._options = {"timeout": timeout, **connect}
        self._order = HostOrder()
        self._loops: PerLoop[_LoopState] = PerLoop(self._discard)

    async def open(self) -> None:
        """Prepare the pool; the first statement connects."""
        if self._loops.get() is not None:
            return

        breaker = Breaker(self.timeout / 2, lambda: pool.refuse_waiting(StorageUnavailableError()))
        pool: Pool
        if self._pool:
            pool = HostPool(self._pool, breaker)
        else:
            opening = partial(connect, breaker, self._dsn, self._options, self._order)
            pool = OwnPool(opening, self._max_size, partial(is_alive, breaker), self._order.avoid)
        self._loops.set(_LoopState(pool, breaker))

    async def close(self) -> None:
        """Close the listener and the pool; a pool of the host stays open."""
        state = self._loops.pop()
        if state is None:
            return
        if state.listener is not None:
            state.listener.terminate()
        try:
            with suppress(*UNAVAILABLE):
                async with asyncio.timeout(self.timeout):
                    await state.pool.close()
        finally:
            state.pool.terminate()

    async def read(self, sql: str, values: Mapping[str, Any], *, by_key: bool = False) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002 (a query always waits for the server)
        """Run a query in a transaction of its own; once more if its connection turns out to be closed."""
        try:
            return await self._query(sql, values)
        except StorageUnavailableError as error:
            if not is_lost(error):
                raise
        return await self._query(sql, values)

    async def _query(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        async with self._acquire(writes=False) as connection:
            return await connection.fetch(sql, values)

    def reading(self) -> AbstractAsyncContextManager[WatchedConnection]:
        """Return a context manager that holds a connection for queries."""
        return self._acquire(writes=False)

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run a statement in a transaction of its own."""
        async with self._acquire() as connection:
            return await connection.write(sql, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Hold a transaction. If the rollback fails, the connection is closed."""
        async with self._acquire(begin=True) as connection:
            try:
                yield connection
                await connection.commit()
            except BaseException:
                await asyncio.shield(connection.roll_back())
                raise

    async def atomically(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a transaction, and return its result."""
        async with self.transaction() as connection:
            return await work(connection)

    async def examine(self) -> Examination:
        """Ask the server for its settings, and whether a pooler is before it."""
        return await examine(self._acquire, can_hold_two=self._pool is None and self._max_size > 1)

    async def lock_migrations(self, connection: Connection, key: str) -> None:
        """Take an advisory lock of the transaction (one of the session would leak through pgbouncer)."""
        await connection.fetch("SELECT pg_advisory_xact_lock(hashtext(:key))", {"key": key})

    async def announce(self, channel: str, connection: Connection | None) -> None:
        """Send a notification to the listeners."""
        sql, values = "SELECT pg_notify(:channel, '')", {"channel": channel}
        if connection is not None:
            await connection.fetch(sql, values)
            return
        # The change is committed: a lost notification must not report it as failed.
        with suppress(StorageUnavailableError):
            await self.write(sql, values)

    async def wait(self, channel: str, seconds: float) -> None:
        """Wait for a notification; without a connection that listens, wait the whole time."""
        if self._listen_dsn is None:
            await asyncio.sleep(min(seconds, POLL))
            return
        state = self._state_of_loop()
        if state.listener is None:
            state.listener = Listener(self._listen_dsn, self._listen_options, self._order)
        await state.listener.wait(channel, seconds)

    def _acquire(self, *, begin: bool = False, writes: bool = True) -> "_Held":
        """Hold a connection until the deadline at most. Errors of the block itself are not translated."""
        return _Held(self, self._state_of_loop(), begin=begin, writes=writes)

    async def take(
        self, state: _LoopState, deadline: Deadline, bound: asyncio.Timeout, *, begin: bool, writes: bool
    ) -> WatchedConnection:
        """Take a connection, and begin a transaction on it; if it turns out to be closed, take another one."""
        for is_last in (False, True):
            with errors:
                raw = await state.pool.acquire(deadline, writes=writes)
            connection = WatchedConnection(raw, state.breaker)
            try:
                if begin:
                    await self._begin(state, connection, bound)
            except StorageUnavailableError as error:
                if is_last or not is_lost(error):
                    raise
            else:
                return connection
        raise AssertionError

    async def _begin(self, state: _LoopState, connection: WatchedConnection, bound: asyncio.Timeout) -> None:
        try:
            # Whatever the default: an older snapshot misses a login that was committed meanwhile.
            await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        except BaseException as error:
            await self.return_failed(state, connection, bound, error)
            raise

    async def return_failed(
        self, state: _LoopState, connection: WatchedConnection, bound: asyncio.Timeout, error: BaseException
    ) -> None:
        """Return a connection to the pool after an error."""
        # The message of a server that shuts down arrives before the end of the connection.
        if is_lost(error) or is_read_only(error):
            terminate(connection.raw)
        if is_read_only(error) or (bound.expired() and connection.is_unanswered):
            self._order.avoid(connection.raw)
            # A server that takes no writes may go on answering reads, which would hand their connections to writes.
            state.pool.suspect(all_open=is_read_only(error) or connection.pending is not None)
        with errors:
            if isinstance(error, asyncio.CancelledError) or connection.is_unanswered:
                await state.pool.abandon(connection.raw, connection.pending)
            else:
                await state.pool.release(connection.raw)

    def _discard(self, state: _LoopState) -> None:
        """Drop the connections of a closed loop, which cannot close them properly any more."""
        if state.listener is not None:
            state.listener.terminate()
        state.pool.terminate()

    def _state_of_loop(self) -> _LoopState:
        state = self._loops.get()
        if state is None:
            raise RuntimeError("the storage is not open; await storage.open() first")
        return state


class _Held:
    """A block that holds a connection. A class, as every statement has one."""

    __slots__ = ("_begin", "_bound", "_bounded", "_connection", "_driver", "_state", "_writes")

    def __init__(self, driver: PostgresDriver, state: _LoopState, *, begin: bool, writes: bool) -> None:
        self._driver = driver
        self._state = state
        self._begin = begin
        self._writes = writes
        self._bounded = state.breaker.bounded(driver.timeout, asks=False)

    async def __aenter__(self) -> WatchedConnection:
        deadline, self._bound = await self._bounded.__aenter__()
        try:
            self._connection = await self._driver.take(
                self._state, deadline, self._bound, begin=self._begin, writes=self._writes
            )
        except BaseException as error:
            await self._bounded.__aexit__(type(error), error, error.__traceback__)
            raise
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                await self._driver.return_failed(self._state, self._connection, self._bound, error)
            else:
                with errors:
                    await self._state.pool.release(self._connection.raw)
        except BaseException as failure:
            await self._bounded.__aexit__(type(failure), failure, failure.__traceback__)
            raise
        await self._bounded.__aexit__(kind, error, trace)
