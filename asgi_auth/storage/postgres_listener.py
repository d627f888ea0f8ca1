"""The connection of an event loop that listens for changes by other processes."""

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

import asyncpg

from asgi_auth.process.background import begin
from asgi_auth.process.log import logger
from asgi_auth.storage.postgres_connection import UNAVAILABLE
from asgi_auth.storage.postgres_host_order import HostOrder
from asgi_auth.storage.postgres_hosts import AsyncpgConnection, connect_to_first

FAILURES = (*UNAVAILABLE, asyncpg.PostgresError, asyncpg.InterfaceError)
#: Seconds for the answer of a listener that has been silent for one wait.
ANSWER = 2.0


class Listener:
    """Waits for notifications. A connection that is lost or cut is replaced."""

    def __init__(self, dsn: str, options: Mapping[str, Any], order: HostOrder | None = None) -> None:
        """Connect nowhere yet. `options` are arguments of `asyncpg.connect`."""
        self._dsn = dsn
        self._options = options
        self._order = order or HostOrder()
        self._changed = asyncio.Event()
        self._connection: AsyncpgConnection | None = None
        self._work: asyncio.Task[None] | None = None
        self._has_failed = False

    async def wait(self, channel: str, seconds: float) -> None:
        """Wait for a notification, for so many seconds; return at once when the connection is opened or lost."""
        connection = self._connection
        is_open = connection is not None and not connection.is_closed()
        if not is_open:
            # Longer than one wait: hosts that give no answer are raced.
            self._begin(self._connect(channel))
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            if connection is not None and is_open:
                # Nothing has changed, or the network was cut without a word.
                self._begin(self._check(connection))
        self._changed.clear()

    def terminate(self) -> None:
        """Drop the connection."""
        # A closed event loop takes no calls.
        with suppress(RuntimeError):
            if self._work is not None:
                self._work.cancel()
            if self._connection is not None:
                self._connection.terminate()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        if self._work is None or self._work.done():
            self._work = begin(work, "listen")
        else:
            work.close()

    async def _connect(self, channel: str) -> None:
        """Connect, and report a change: notifications from before are lost."""
        connection = None
        try:
            connection = await connect_to_first(self._dsn, self._options, self._order)
            await connection.add_listener(channel, lambda *_: self._changed.set())
            connection.add_termination_listener(lambda *_: self._changed.set())
            self._connection, connection, self._has_failed = connection, None, False
            self._changed.set()
        except FAILURES as error:
            if not self._has_failed:
                logger.warning("asgi_auth cannot listen for changes, and polls for them: %s", type(error).__name__)
            self._has_failed = True
        finally:
            if connection is not None:
                connection.terminate()

    async def _check(self, connection: AsyncpgConnection) -> None:
        """Drop a connection that gives no answer; the next wait opens another one."""
        try:
            async with asyncio.timeout(ANSWER):
                await connection.execute("SELECT 1")
        except FAILURES:
            logger.warning("the connection that listens for changes gives no answer, and is replaced")
            self._order.avoid(connection)
            connection.terminate()
