"""A SELECT of one row by its key: what asking PostgreSQL on each request costs at the least. No app, no token."""

from typing import Any

import asyncpg

from benchmarks.contenders import base
from benchmarks.contenders.floor_stores import leave
from benchmarks.contenders.ours import answer

SQL = "SELECT id, number FROM rows WHERE id = $1"


class Select(base.Contender):
    """Reads a row, and calls the bare app."""

    async def open(self) -> None:
        """Make the table."""
        self.pool = await asyncpg.create_pool(self.options.database, min_size=1, reset=leave)
        await self.pool.execute("CREATE TABLE rows (id TEXT PRIMARY KEY, number BIGINT)")
        await self.pool.executemany("INSERT INTO rows VALUES ($1, $2)", [(str(number), number) for number in range(20)])
        self.bare = answer

        async def app(scope: Any, receive: Any, send: Any) -> None:
            assert await self.pool.fetch(SQL, "7")
            await answer(scope, receive, send)

        self.app = app

    async def close(self) -> None:
        """Close the pool."""
        await self.pool.close()

    async def requests(self, kind: str, count: int) -> list[base.Request]:
        """Requests that show nothing."""
        return [base.Request("GET", "/")] * count


make = Select
