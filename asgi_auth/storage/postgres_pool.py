"""Pools of PostgreSQL connections for one event loop: one of the library, and that of the host."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

import asyncpg

from asgi_auth.storage.postgres_connection import UNAVAILABLE, AsyncpgConnection

#: Seconds after which an idle connection is closed: firewalls drop it, and the server limits their number.
MAX_IDLE = 300
#: Seconds between two checks whether all connections have been released, when the pool closes.
CLOSE_POLL = 0.01


class Pool(Protocol):
    """A pool of connections."""

    async def acquire(self) -> AsyncpgConnection:
        """Take a connection; wait if all are in use."""

    async def release(self, connection: AsyncpgConnection) -> None:
        """Return a connection to the pool; one that was closed makes room for another."""

    async def close(self) -> None:
        """Close all connections, those in use when they are released."""

    def terminate(self) -> None:
        """Drop all connections at once."""


class HostPool:
    """A pool of the host, which is never closed here."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        """Wrap the pool."""
        self._pool = pool

    async def acquire(self) -> AsyncpgConnection:
        """Take a connection."""
        return await self._pool.acquire()

    async def release(self, connection: AsyncpgConnection) -> None:
        """Return a connection."""
        await self._pool.release(connection)

    async def close(self) -> None:
        """No-op: the host closes its pool."""

    def terminate(self) -> None:
        """No-op: the host closes its pool."""


class OwnPool:
    """A pool of at most `max_size` connections, opened when they are needed; the last used is used next.

    asyncpg's pool starts a task for each release, which costs about a quarter of a statement.
    """

    def __init__(self, connect: Callable[[], Awaitable[AsyncpgConnection]], max_size: int) -> None:
        """Connect nowhere yet. `connect` opens a connection."""
        self._connect = connect
        self._max_size = max_size
        self._connecting = 0
        self._open: set[AsyncpgConnection] = set()
        self._idle: deque[tuple[AsyncpgConnection, float]] = deque()
        self._waiting: deque[asyncio.Future[AsyncpgConnection | None]] = deque()
        self._closing = False
        self._terminated = False

    async def acquire(self) -> AsyncpgConnection:
        """Take the idle connection that was used last, else connect, else wait; waiting calls are served in order.

        Raises asyncpg.InterfaceError if the pool closes.
        """
        was_handed_room = False
        while not self._closing:
            while self._idle:
                connection, since = self._idle.pop()
                if not connection.is_closed() and time.monotonic() - since < MAX_IDLE:
                    return connection
                self._drop(connection)
            if len(self._open) + self._connecting < self._max_size and (was_handed_room or not self._has_waiters()):
                return await self._add()
            handed = await self._wait(first=was_handed_room)
            if handed is not None:
                return handed
            was_handed_room = True
        raise asyncpg.InterfaceError("the pool is closing")

    async def release(self, connection: AsyncpgConnection) -> None:
        """Hand the connection to the first waiting call, or keep it idle; drop the oldest idle one after its time."""
        if connection.is_closed() or self._terminated:
            self._drop(connection)
        elif not self._hand(connection):
            self._idle.append((connection, time.monotonic()))
            if self._idle[-1][1] - self._idle[0][1] > MAX_IDLE:
                # Not closed properly: this call would have to wait for it.
                self._drop(self._idle.popleft()[0])

    async def close(self) -> None:
        """Close the idle connections until none is left."""
        self._closing = True
        while self._hand(None):
            pass
        while self._open or self._connecting:
            if self._idle:
                await self._close_one(self._idle.popleft()[0])
            else:
                await asyncio.sleep(CLOSE_POLL)

    def terminate(self) -> None:
        """Drop all connections. Those of a closed event loop cannot even send a message to the server."""
        self._closing = self._terminated = True
        for connection in self._open:
            with suppress(RuntimeError, asyncpg.InterfaceError):
                connection.terminate()
        self._open.clear()

    async def _add(self) -> AsyncpgConnection:
        self._connecting += 1
        try:
            connection = await self._connect()
        except BaseException:
            self._connecting -= 1
            self._hand(None)
            raise
        self._connecting -= 1
        self._open.add(connection)
        if self._terminated:
            self._drop(connection)
            raise asyncpg.InterfaceError("the pool is closed")
        return connection

    def _has_waiters(self) -> bool:
        """Return whether a call is waiting; drop the cancelled ones at the front of the queue."""
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        return bool(self._waiting)

    async def _wait(self, *, first: bool) -> "AsyncpgConnection | None":
        """Wait for a connection, or for None: there is room to open one. `first` waits at the front of the queue."""
        waiter: asyncio.Future[AsyncpgConnection | None] = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if first else self._waiting.append)(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.done():
                # The connection arrived at the moment of the cancellation.
                await self._pass_on(waiter.result())
            raise

    async def _pass_on(self, handed: "AsyncpgConnection | None") -> None:
        if handed is None:
            self._hand(None)
        else:
            await self.release(handed)

    def _hand(self, connection: "AsyncpgConnection | None") -> bool:
        """Give a connection, or None for room to open one, to the first waiting call; return whether there was one."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    async def _close_one(self, connection: AsyncpgConnection) -> None:
        try:
            with suppress(*UNAVAILABLE, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)
        finally:
            self._drop(connection)

    def _drop(self, connection: AsyncpgConnection) -> None:
        """Drop a connection, and give its place to the first waiting call."""
        with suppress(asyncpg.InterfaceError):
            connection.terminate()
        self._open.discard(connection)
        self._hand(None)
