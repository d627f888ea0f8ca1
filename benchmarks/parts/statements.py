"""The statements and the WAL of each kind of call on PostgreSQL 15, as PostgreSQL counts them.

The extension pg_stat_statements counts the statements, and the position of the WAL tells the bytes, without full pages.
What runs beside the calls (revocations, the purge) is seldom, and falls away by rounding.
"""

import re

import asyncpg

from benchmarks.contenders import base
from benchmarks.contenders.calls import checked
from benchmarks.contenders.ours import Ours
from benchmarks.harness import Run
from benchmarks.records import Table
from tests.postgres import Server

#: Calls of each kind, for each call before them.
WARM_UP = 5
KINDS = ("login", "refresh", "request", "logout")
VARIANTS = {"": "passwords and sessions", "defaults": "all default features"}
COLUMNS = READS, WRITES, OTHERS, WAL = "reads", "writes", "BEGIN, COMMIT, NOTIFY", "bytes of WAL"
#: A lock of a row (FOR UPDATE, FOR NO KEY UPDATE) is a read.
WRITING = re.compile(r"\b(INSERT INTO|(?<!FOR )(?<!KEY )UPDATE|DELETE FROM)\s", re.IGNORECASE)
READING = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)


class Counted:
    """A contender, and the connection that reads what its calls have cost."""

    def __init__(self, contender: Ours, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._contender = contender
        self._connection = connection
        self._number = 0
        self._answers: list[bytes] = []

    async def login(self) -> None:
        """Log in, each time another user."""
        self._number += 1
        self._answers.append(await checked(self._contender.app, self._contender.login(self._number)))

    async def refresh(self) -> None:
        """Refresh the session of a login."""
        self._number += 1
        request = self._contender.refresh(self._answers.pop(0), self._number)
        self._answers.append(await checked(self._contender.app, request))

    async def request(self) -> None:
        """Send the token of the last answer to the host."""
        token = base.parsed(self._answers[-1])["access_token"]
        await checked(self._contender.app, base.Request("GET", "/", base.bearer(token)))

    async def logout(self) -> None:
        """End a session."""
        token = base.parsed(self._answers.pop(0))["access_token"]
        await checked(self._contender.app, base.Request("POST", "/auth/logout", base.bearer(token)))

    async def cost(self, kind: str, calls: int) -> list[int]:
        """Reads, writes, other statements and bytes of WAL for a call of a kind."""
        call = getattr(self, kind)
        for _ in range(max(1, calls // WARM_UP)):
            await call()
        await self._connection.execute("SELECT pg_stat_statements_reset()")
        before = await self._connection.fetchval("SELECT pg_current_wal_insert_lsn()")
        for _ in range(calls):
            await call()
        wal = await self._connection.fetchval("SELECT pg_current_wal_insert_lsn() - $1::pg_lsn", before)
        rows = await self._connection.fetch(
            "SELECT query, calls FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database"
            " WHERE datname = current_database()) AND query NOT LIKE '%pg_current_wal%'"
        )
        counts = dict.fromkeys((READS, WRITES, OTHERS), 0)
        for row in rows:
            counts[_kind_of(row["query"])] += row["calls"]
        return [*[round(count / calls) for count in counts.values()], round(int(wal) / calls)]


def _kind_of(query: str) -> str:
    if WRITING.search(query):
        return WRITES
    return READS if READING.match(query) and "pg_notify" not in query else OTHERS


async def measure(run: Run) -> None:
    """Count the statements of each kind of call, by features."""
    calls = run.size.counted
    table = Table(
        "statements",
        "Statements and WAL of a call, as PostgreSQL 15 counts them",
        f"{calls} calls of each kind after {max(1, calls // WARM_UP)} of the same kind, argon2 at its minimum, without "
        "full pages; each login is that of another user, from a network that is new for the user",
        "for each call",
    )
    run.part.tables.append(table)
    server = Server(15)
    try:
        server.sql("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        server.kill()
        server.start()
        for variant, features in VARIANTS.items():
            await _count(table, base.Options(server.database(), users=4 * calls, variant=variant), features, calls)
            run.save()
    finally:
        server.close()


async def _count(table: Table, options: base.Options, features: str, calls: int) -> None:
    contender = Ours(options)
    await contender.open()
    connection = await asyncpg.connect(options.database)
    await connection.execute("CREATE EXTENSION pg_stat_statements")
    counted = Counted(contender, connection)
    for kind in KINDS:
        for column, value in zip(COLUMNS, await counted.cost(kind, calls), strict=True):
            table.add(f"{kind}, {features}", column, [value])
    await connection.close()
    await contender.close()
