"""What the driver needs of a pool of PostgreSQL connections, and the pool of the host."""

import asyncio
import time
from typing import Any, Protocol

import asyncpg

from asgi_auth.bounds.breaker import Breaker
from asgi_auth.bounds.deadline import Deadline
from asgi_auth.storage.postgres_connection import AsyncpgConnection, terminate


class Pool(Protocol):
    """A pool of connections."""

    async def acquire(self, deadline: Deadline | None = None, *, writes: bool = False) -> AsyncpgConnection:
        """Take a connection; wait if all are in use."""

    async def release(self, connection: AsyncpgConnection) -> None:
        """Return a connection to the pool; one that was closed makes room for another."""

    async def abandon(self, connection: AsyncpgConnection, pending: "asyncio.Task[Any] | None") -> None:
        """Close a connection whose call was given up; `pending` is a commit that the server may still end."""

    def refuse_waiting(self, error: Exception) -> None:
        """Raise an error in all calls that wait for a connection."""

    def suspect(self, *, all_open: bool = False) -> None:
        """Use no idle connection again, and with `all_open` none that is open: the server takes no writes any more."""

    async def close(self) -> None:
        """Close all connections, those in use when they are released."""

    def terminate(self) -> None:
        """Drop all connections at once."""


class HostPool:
    """A pool of the host, which is never closed here."""

    def __init__(self, pool: "asyncpg.Pool[Any]", breaker: Breaker) -> None:
        """Wrap the pool. The breaker notes calls that get no connection: the pool may wait for a silent server."""
        self._pool = pool
        self._breaker = breaker

    async def acquire(self, deadline: Deadline | None = None, *, writes: bool = False) -> AsyncpgConnection:  # noqa: ARG002 (the host's pool has its own order)
        """Take a connection."""
        since = time.monotonic()
        try:
            return await self._pool.acquire()
        except asyncio.CancelledError:
            self._breaker.gave_up(since)
            raise

    async def release(self, connection: AsyncpgConnection) -> None:
        """Return a connection."""
        await self._pool.release(connection)

    async def abandon(self, connection: AsyncpgConnection, pending: "asyncio.Task[Any] | None") -> None:  # noqa: ARG002 (it ends with its connection)
        """Close a connection at once: how many there may be is up to the host's pool."""
        terminate(connection)
        await self._pool.release(connection)

    def refuse_waiting(self, error: Exception) -> None:
        """No-op: the calls wait in the host's pool."""

    def suspect(self, *, all_open: bool = False) -> None:
        """No-op: the connections belong to the host."""

    async def close(self) -> None:
        """No-op: the host closes its pool."""

    def terminate(self) -> None:
        """No-op: the host closes its pool."""
