"""Turns to write to SQLite, and the wait for the lock while another process holds it."""

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from asgi_auth.bounds.breaker import Breaker
from asgi_auth.storage.sqlite_connection import ThreadedConnection, errors, is_locked

#: Seconds between two attempts to write to memory while another event loop writes.
TURN_POLL = 0.002


class WriteTurn:
    """The right to write: among the calls of one event loop, in their order, then, in memory, among loops."""

    def __init__(self, memory_lock: "threading.Lock | None") -> None:
        """Take the lock that the loops share."""
        self._memory_lock = memory_lock
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_taken = False

    def ask(self, begin: Callable[[], None]) -> None:
        """Call `begin` when it is the turn of the caller, at once if possible. The caller then ends the turn."""
        self._waiting.append(begin)
        self._next()

    def end(self) -> None:
        """End a turn."""
        self.release()
        self.pass_on()

    def release(self) -> None:
        """Let other loops write. Any thread may call this, and the event loop calls `pass_on` then."""
        if self._memory_lock is not None:
            self._memory_lock.release()

    def pass_on(self) -> None:
        """Let the next call of this loop write."""
        self._is_taken = False
        if self._waiting and not self._loop.is_closed():
            self._loop.call_soon(self._next)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[None]:
        """Wait for the turn, and hold it."""
        turn: asyncio.Future[None] = self._loop.create_future()
        self.ask(lambda: self.end() if turn.done() else turn.set_result(None))
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.end()
            raise
        try:
            yield
        finally:
            self.end()

    def _next(self) -> None:
        if not self._is_taken and self._waiting:
            self._is_taken = True
            self._begin()

    def _begin(self) -> None:
        if self._memory_lock is not None and not self._memory_lock.acquire(blocking=False):
            self._loop.call_later(TURN_POLL, self._begin)
            return
        self._waiting.popleft()()


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
