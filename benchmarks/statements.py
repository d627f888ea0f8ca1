"""The statements and the WAL of each kind of call on PostgreSQL 15: `python -m benchmarks.statements`.

The second table is made of the first one: what so many users cost in the busiest hour, by the rule of
`benchmarks.costs`, with all default features.

Workload: 50 calls of each kind after ten of the same kind, with the cheapest hash. PostgreSQL counts: the extension
pg_stat_statements counts the statements, and the position of the WAL tells the bytes, without full pages. What runs
beside the calls (revocations, the purge) is seldom, and falls away by rounding.
"""

import asyncio
import re

import asyncpg

from benchmarks.contenders import base
from benchmarks.contenders.calls import checked
from benchmarks.contenders.ours import Ours
from benchmarks.costs import DAILY, DAY, LOGIN_DAYS, PEAK, REFRESHES
from tests.postgres import Server

CALLS, WARM_UP = 50, 10
KINDS = ("login", "refresh", "request", "logout")
VARIANTS = {"": "passwords and sessions", "defaults": "all default features"}
#: A lock of a row (FOR UPDATE, FOR NO KEY UPDATE) is a read.
WRITES = re.compile(r"\b(INSERT INTO|(?<!FOR )(?<!KEY )UPDATE|DELETE FROM)\s", re.IGNORECASE)
READS = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)


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

    async def cost(self, kind: str) -> list[int]:
        """Reads, writes, other statements (BEGIN, COMMIT, NOTIFY) and bytes of WAL for a call of a kind."""
        call = getattr(self, kind)
        for _ in range(WARM_UP):
            await call()
        await self._connection.execute("SELECT pg_stat_statements_reset()")
        before = await self._connection.fetchval("SELECT pg_current_wal_insert_lsn()")
        for _ in range(CALLS):
            await call()
        wal = await self._connection.fetchval("SELECT pg_current_wal_insert_lsn() - $1::pg_lsn", before)
        rows = await self._connection.fetch(
            "SELECT query, calls FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database"
            " WHERE datname = current_database()) AND query NOT LIKE '%pg_current_wal%'"
        )
        counts = {"read": 0, "write": 0, "other": 0}
        for row in rows:
            counts[_kind_of(row["query"])] += row["calls"]
        return [*[round(count / CALLS) for count in counts.values()], round(int(wal) / CALLS)]


def _kind_of(query: str) -> str:
    if WRITES.search(query):
        return "write"
    return "read" if READS.match(query) and "pg_notify" not in query else "other"


async def measure(server: Server) -> dict[tuple[str, str], list[int]]:
    """Give the cost of each kind of call, by features."""
    costs: dict[tuple[str, str], list[int]] = {}
    for variant, features in VARIANTS.items():
        url = server.database()
        contender = Ours(base.Options(url, users=4 * (CALLS + WARM_UP), variant=variant))
        await contender.open()
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE EXTENSION pg_stat_statements")
        counted = Counted(contender, connection)
        costs |= {(kind, features): await counted.cost(kind) for kind in KINDS}
        await connection.close()
        await contender.close()
    return costs


def table_of(rows: list[list[object]]) -> str:
    """Return a table of Markdown."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([lines[0], "| --- " * len(rows[0]) + "|", *lines[1:]])


def in_the_busiest_hour(costs: dict[tuple[str, str], list[int]]) -> list[list[object]]:
    """Return what so many users cost in a second of the busiest hour."""
    rows: list[list[object]] = [["users", "refreshes/s", "logins/s", "statements/s", "MiB of WAL in an hour"]]
    refresh, login = (costs[kind, VARIANTS["defaults"]] for kind in ("refresh", "login"))
    for users in (10**6, 10**8):
        refreshes, logins = users * DAILY * REFRESHES / DAY * PEAK, users * DAILY / LOGIN_DAYS / DAY * PEAK
        statements = refreshes * sum(refresh[:3]) + logins * sum(login[:3])
        wal = (refreshes * refresh[3] + logins * login[3]) * 3600 / 2**20
        rows.append([f"{users:,}", f"{refreshes:,.0f}", f"{logins:,.1f}", f"{statements:,.0f}", f"{wal:,.0f}"])
    return rows


def main() -> None:
    """Measure and print."""
    server = Server(15)
    try:
        server.sql("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
        server.kill()
        server.start()
        costs = asyncio.run(measure(server))
    finally:
        server.close()
    rows = [[*names, *cost] for names, cost in costs.items()]
    print(table_of([["call", "features", "reads", "writes", "BEGIN, COMMIT, NOTIFY", "bytes of WAL"], *rows]))
    print()
    print(table_of(in_the_busiest_hour(costs)))


if __name__ == "__main__":
    main()
