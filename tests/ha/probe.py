"""Writes to each node all the time, past the app: when did the database take writes?"""

import asyncio
import time
from collections.abc import Collection
from typing import Any, NamedTuple, Self

import asyncpg

from tests.ha.patroni import NODES, superuser

EVERY = 0.1
#: asyncpg is confused by the last message of a server that shuts down, and raises an InternalClientError.
FAILURES = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Pause(NamedTuple):
    """A time in which the database took no writes: from the last one before it to the first one after it."""

    begin: float
    end: float


COUNT = """
    SELECT application_name AS name, count(*) AS n FROM pg_stat_activity WHERE usename = 'app_web' GROUP BY 1
"""


class Probe:
    """Writes to each node, and counts the connections of each route."""

    def __init__(self) -> None:
        """Know nothing yet."""
        #: The writes that were acknowledged and those that failed, by time and node.
        self.written: list[tuple[float, str]] = []
        self.failed: list[tuple[float, str]] = []
        #: The most connections of each route that the primary had, by `application_name`.
        self.connections: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to write."""
        self._tasks = [asyncio.create_task(work(node)) for node in NODES for work in (self._write, self._count)]

    async def stop(self) -> None:
        """Stop. Raises what has ended a probe before: it has seen nothing since."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                raise RuntimeError("a probe of the database has ended before its time") from task.exception()

    def pauses(self, since: float, until: float, primary: str, isolated: Collection[str]) -> list[Pause]:
        """Return when the database took no writes between two times; `primary` took them at first.

        A pause is one only if a write failed in it: a machine under load is slow. Isolated nodes do not count.
        """
        found, before, node = [], since, primary
        for at, writer in sorted(self.written):
            if not since < at < until or writer in isolated:
                continue
            if node in isolated or any(before < failed <= at and node == where for failed, where in self.failed):
                found.append(Pause(before, at))
            before, node = at, writer
        return found

    def is_written(self, since: float, isolated: Collection[str]) -> bool:
        """Tell whether a node took a write that was begun after a time."""
        return any(at > since + EVERY and node not in isolated for at, node in self.written)

    async def _write(self, node: str) -> None:
        async with _Kept(node) as kept:
            while True:
                is_written = await kept.run("INSERT INTO public.probe VALUES (now())") is not None
                (self.written if is_written else self.failed).append((time.time(), node))
                await asyncio.sleep(EVERY)

    async def _count(self, node: str) -> None:
        """Count by a connection of its own: that of the writes hangs where commits hang."""
        async with _Kept(node) as kept:
            while True:
                for row in await kept.run(COUNT) or []:
                    self.connections[row["name"]] = max(row["n"], self.connections.get(row["name"], 0))
                await asyncio.sleep(1)


class _Kept:
    """A connection that is made again after each failure."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._connection: Any = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._drop()

    async def run(self, sql: str) -> list[Any] | None:
        """Run a statement; return None if that fails or takes too long."""
        try:
            async with asyncio.timeout(1.5):
                if self._connection is None:
                    self._connection = await asyncpg.connect(superuser(self._node))
                rows: list[Any] = await self._connection.fetch(sql)
                return rows
        except FAILURES:
            self._drop()
            return None

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None
