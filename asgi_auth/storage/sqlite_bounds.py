"""Bounded writes to SQLite, and the wait for the lock while another process holds it."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgi_auth.bounds.breaker import Breaker
from asgi_auth.bounds.deadline import Deadline, current
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.sqlite_connection import ThreadedConnection, errors, is_locked

#: Seconds between two attempts to write to memory while another event loop writes.
TURN_POLL = 0.002


class WriteTurn:
    """The right to write: among the tasks of one event loop, then, in memory, among loops."""

    def __init__(self, memory_lock: "threading.Lock | None") -> None:
        """Take the lock that the loops share."""
        self._lock = asyncio.Lock()
        self._memory_lock = memory_lock

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        """Wait for the turn, and hold it."""
        async with self._lock:
            if self._memory_lock is None:
                yield
                return
            while not self._memory_lock.acquire(blocking=False):  # noqa: ASYNC110 (other threads release it)
                await asyncio.sleep(TURN_POLL)
            try:
                yield
            finally:
                self._memory_lock.release()


@asynccontextmanager
async def bounded(seconds: float, breaker: Breaker) -> AsyncIterator[tuple[Deadline, asyncio.Timeout]]:
    """Bound a write by the deadline of the request, or by so many seconds outside of requests.

    While others hold the lock for longer than that, one write waits for it, and the others are refused at once.
    """
    request, since = current(), time.monotonic()
    deadline = request or Deadline(seconds)
    try:
        async with asyncio.timeout(deadline.left()) as cut:
            probe = await breaker.admit(cut)
            try:
                yield deadline, cut
            finally:
                breaker.leave(probe)
    except TimeoutError:
        if not cut.expired():
            raise
        breaker.gave_up(since)
        raise StorageUnavailableError from None
    finally:
        if request is None:
            deadline.close()


async def begin(writer: ThreadedConnection, breaker: Breaker) -> None:
    """Begin a transaction; try again while another process holds the lock for writing."""
    while True:
        try:
            await writer.run(lambda raw: raw.execute("BEGIN IMMEDIATE"))
        except sqlite3.OperationalError as error:
            if is_locked(error):
                continue
            with errors():
                raise
        breaker.answered()
        return
