"""Writes to each node all the time, past the app: when did the database take writes?"""

import asyncio
import time
from collections.abc import Collection
from itertools import pairwise
from typing import Any, Self

import asyncpg

from tests.ha.patroni import NODES, superuser

EVERY = 0.1
#: A pause between writes that counts as an outage of the database, in seconds.
GAP = 1.0


COUNT = """
    SELECT application_name AS name, count(*) AS n FROM pg_stat_activity WHERE usename = 'app_web' GROUP BY 1
"""


class Probe:
    """Writes to each node, and counts the connections of each route."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.written: list[tuple[float, str]] = []
        #: The most connections of each route that the primary had, by `application_name`.
        self.connections: dict[str, int] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to write."""
        self._tasks = [asyncio.create_task(work(node)) for node in NODES for work in (self._write, self._count)]

    async def stop(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def back(self, since: float, until: float, isolated: Collection[str]) -> float | None:
        """Return when the longest pause between two times ended; None without one. Isolated nodes do not count."""
        times = [since, *(at for at, node in self.written if since < at < until and node not in isolated)]
        pauses = [(later - earlier, later) for earlier, later in pairwise(times)]
        longest, end = max(pauses, default=(0.0, 0.0))
        return end if longest > GAP else None

    def is_written(self, since: float, isolated: Collection[str]) -> bool:
        """Tell whether a node took a write that was begun after a time."""
        return any(at > since + EVERY and node not in isolated for at, node in self.written)

    async def _write(self, node: str) -> None:
        async with _Kept(node) as kept:
            while True:
                if await kept.run("INSERT INTO public.probe VALUES (now())") is not None:
                    self.written.append((time.time(), node))
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
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._drop()
            return None

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None
