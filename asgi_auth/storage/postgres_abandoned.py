"""Connections whose calls were given up: each keeps its place in the pool until the server is rid of it.

A statement goes on in the server when its client is gone: it waits for a lock, or its COMMIT waits for a standby. So
a connection that is only dropped makes room for one more statement, and a server in trouble gets ever more of them.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.process.background import begin
from asgi_auth.process.log import logger
from asgi_auth.storage.postgres_connection import UNAVAILABLE, AsyncpgConnection, terminate

# The pool refuses calls that wait for a connection while the server is silent.
FAILURES = (*UNAVAILABLE, asyncpg.PostgresError, asyncpg.InterfaceError, StorageUnavailableError)
#: Seconds for a server to cancel a statement and to close the connection.
TO_CLOSE = 2.0
#: Seconds between two questions which sessions the server still has.
ASK = 1.0
#: Seconds after which a connection is given up that the server cannot be asked about, as behind a pooler.
GIVE_UP = 60.0
#: A session is known by its process and its age: servers have the same numbers of processes.
LIVING = """
    SELECT pg_catalog.pg_backend_pid() AS asked, ARRAY(
        SELECT pid FROM pg_catalog.pg_stat_activity JOIN unnest($1::int[], $2::float8[]) AS known (pid, age) USING (pid)
        WHERE usename = session_user AND abs(extract(epoch FROM clock_timestamp() - backend_start) - age) < 10
    ) AS living
"""

#: Asks the server which of these processes, with the seconds since they began, are sessions; None: it cannot tell.
Living = Callable[[Mapping[int, float]], Awaitable[set[int] | None]]


@dataclass
class _Entry:
    process: int
    opened_at: float
    since: float
    work: "asyncio.Task[None] | None" = None


async def living_of(connection: AsyncpgConnection, processes: Mapping[int, float]) -> set[int] | None:
    """Ask on a connection which processes are sessions.

    None behind a pooler such as pgbouncer: it tells its clients the id of no process of the server.
    """
    row = await connection.fetchrow(LIVING, [*processes], [*processes.values()])
    if row is None or row["asked"] != connection.get_server_pid():
        return None
    return set(row["living"])


def _ignore(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()


class Abandoned:
    """The connections that are not used any more, and that the server may still work for."""

    def __init__(self, living: Living, free: Callable[[AsyncpgConnection], None]) -> None:
        """Take a function that asks the server, and one that frees the place of a connection."""
        self._living = living
        self._free = free
        self._entries: dict[AsyncpgConnection, _Entry] = {}
        self._asking: asyncio.Task[None] | None = None
        self._until_the_end: AsyncGenerator[None, None] | None = None

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self._entries)

    def __iter__(self) -> Iterator[AsyncpgConnection]:
        """Return the connections that the server may still work for."""
        return iter(self._entries)

    def add(self, connection: AsyncpgConnection, opened_at: float, pending: "asyncio.Task[Any] | None") -> None:
        """Close a connection; `pending` is a statement that is not cancelled."""
        self._watch_the_loop()
        entry = _Entry(connection.get_server_pid(), opened_at, time.monotonic())
        self._entries[connection] = entry
        if pending is not None:
            # Its call has ended with an error: what comes of the commit is of no interest, and no line of the log.
            pending.add_done_callback(_ignore)
        entry.work = begin(self._close(connection, pending), "close")
        if self._asking is None or self._asking.done():
            self._asking = begin(self._ask(), "ask for abandoned connections")

    def terminate(self) -> None:
        """Forget all."""
        for task in self._tasks():
            task.cancel()
        self._entries.clear()

    def _tasks(self) -> list["asyncio.Task[None]"]:
        return [task for task in (self._asking, *(entry.work for entry in self._entries.values())) if task is not None]

    def _watch_the_loop(self) -> None:
        """Have the end of the loop await `_end`: `asyncio.run` awaits no task that begins while it cancels all."""
        if self._until_the_end is None:
            self._until_the_end = self._wait_for_the_end()
            with suppress(StopIteration):
                self._until_the_end.__anext__().send(None)

    async def _wait_for_the_end(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            await self._end()

    async def _end(self) -> None:
        """Close the connections, at once after `TO_CLOSE`, and wait until no task is left."""
        closing = [entry.work for entry in self._entries.values() if entry.work is not None]
        if closing:
            await asyncio.wait(closing, timeout=TO_CLOSE)
        connections, tasks = [*self._entries], self._tasks()
        self.terminate()
        for connection in connections:
            terminate(connection)
        if tasks:
            await asyncio.wait(tasks)

    async def _close(self, connection: AsyncpgConnection, pending: "asyncio.Task[Any] | None") -> None:
        """Cancel the statement, and close the connection; the server closes its side when it is rid of it."""
        try:
            if pending is not None:
                await asyncio.wait([pending])
            await connection.close(timeout=TO_CLOSE)
        except FAILURES:
            # Whether the server is rid of it is not known from here.
            return
        self._forget(connection)

    async def _ask(self) -> None:
        """Ask the server from time to time until all are gone: a network that was cut never tells."""
        while self._entries:
            now = time.monotonic()
            asked = list(self._entries.items())
            living = None
            with suppress(*FAILURES):
                living = await self._living({entry.process: now - entry.opened_at for _, entry in asked})
            for connection, entry in asked:
                if living is not None and entry.process not in living:
                    self._forget(connection)
                elif living is None and time.monotonic() - entry.since > GIVE_UP:
                    logger.warning(
                        "a connection to PostgreSQL is given up: its server cannot be asked for %d s", GIVE_UP
                    )
                    self._forget(connection)
            await asyncio.sleep(ASK)

    def _forget(self, connection: AsyncpgConnection) -> None:
        entry = self._entries.pop(connection, None)
        if entry is None:
            return
        if entry.work is not None and entry.work is not asyncio.current_task():
            entry.work.cancel()
        terminate(connection)
        self._free(connection)
