"""Connections of one event loop to PostgreSQL: our own, handed on without a task, or those of the host's pool."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

import asyncpg

from asgi_auth.storage.postgres_connection import AWAY, Held

#: Seconds after which a connection that nobody used is closed: firewalls forget it, and others may want its place.
IDLE = 300
PAUSE = 0.01


class Connections(Protocol):
    """Where connections come from."""

    async def acquire(self) -> Held:
        """Take one, and wait for it if need be."""

    async def release(self, connection: Held) -> None:
        """Give it back; one that was closed is replaced."""

    async def close(self) -> None:
        """Close all, those in use when they come back."""

    def terminate(self) -> None:
        """Give all up at once."""


class HostPool:
    """The host's pool, which is never closed here."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        """Take it."""
        self._pool = pool

    async def acquire(self) -> Held:
        """Take one."""
        return await self._pool.acquire()

    async def release(self, connection: Held) -> None:
        """Give it back."""
        await self._pool.release(connection)

    async def close(self) -> None:
        """Leave it open."""

    def terminate(self) -> None:
        """Leave it open."""


class OwnConnections:
    """At most `most` connections, made when they are wanted; the one that was used last is used next.

    asyncpg's pool makes a task for each release, which costs as much as a quarter of a statement.
    """

    def __init__(self, connect: Callable[[], Awaitable[Held]], most: int) -> None:
        """Take what connects."""
        self._connect = connect
        self._most = most
        self._connecting = 0
        self._open: set[Held] = set()
        self._idle: deque[tuple[Held, float]] = deque()
        self._waiting: deque[asyncio.Future[Held | None]] = deque()
        self._closing = False
        self._ended = False

    async def acquire(self) -> Held:
        """Take the one that rested least, else connect, else wait for one: who came first is served first."""
        first = False
        while not self._closing:
            while self._idle:
                connection, since = self._idle.pop()
                if not connection.is_closed() and time.monotonic() - since < IDLE:
                    return connection
                self._forget(connection)
            if len(self._open) + self._connecting < self._most and (first or not self._is_waited_for()):
                return await self._add()
            handed = await self._wait(first=first)
            if handed is not None:
                return handed
            first = True
        raise asyncpg.InterfaceError("the connections are being closed")

    async def release(self, connection: Held) -> None:
        """Hand it on, or let it rest; give one up that has rested for too long."""
        if connection.is_closed() or self._ended:
            self._forget(connection)
        elif not self._hand(connection):
            self._idle.append((connection, time.monotonic()))
            if self._idle[-1][1] - self._idle[0][1] > IDLE:
                # Without a goodbye, which somebody would have to wait for.
                self._forget(self._idle.popleft()[0])

    async def close(self) -> None:
        """Close those that rest, until none is left."""
        self._closing = True
        while self._hand(None):
            pass
        while self._open or self._connecting:
            if self._idle:
                await self._end(self._idle.popleft()[0])
            else:
                await asyncio.sleep(PAUSE)

    def terminate(self) -> None:
        """Give all up; those of a loop that was closed can't even say goodbye."""
        self._closing = self._ended = True
        for connection in self._open:
            with suppress(RuntimeError, asyncpg.InterfaceError):
                connection.terminate()
        self._open.clear()

    async def _add(self) -> Held:
        self._connecting += 1
        try:
            connection = await self._connect()
        except BaseException:
            self._connecting -= 1
            self._hand(None)
            raise
        self._connecting -= 1
        self._open.add(connection)
        if self._ended:
            self._forget(connection)
            raise asyncpg.InterfaceError("the connections have been closed")
        return connection

    def _is_waited_for(self) -> bool:
        """Tell whether somebody waits who was here before."""
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        return bool(self._waiting)

    async def _wait(self, *, first: bool) -> "Held | None":
        """Wait for a connection, or for None: there is room for one more. `first` is who has waited before."""
        waiter: asyncio.Future[Held | None] = asyncio.get_running_loop().create_future()
        (self._waiting.appendleft if first else self._waiting.append)(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.done():
                # It was handed over at the same moment.
                await self._pass_on(waiter.result())
            raise

    async def _pass_on(self, handed: "Held | None") -> None:
        if handed is None:
            self._hand(None)
        else:
            await self.release(handed)

    def _hand(self, connection: "Held | None") -> bool:
        """Give it to who has waited longest; False when nobody waits."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    async def _end(self, connection: Held) -> None:
        try:
            with suppress(*AWAY, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)
        finally:
            self._forget(connection)

    def _forget(self, connection: Held) -> None:
        """Give a connection up; there is room for another."""
        with suppress(asyncpg.InterfaceError):
            connection.terminate()
        self._open.discard(connection)
        self._hand(None)
