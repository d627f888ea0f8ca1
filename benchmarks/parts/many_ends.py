"""What a process feels of many sessions that end, and what the database feels of many processes that follow."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import chain
from pathlib import Path

import asyncpg

from asgi_auth import Settings
from asgi_auth.sessions.ended import EndedSessions
from asgi_auth.sessions.relay.relay import Relay
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.storage.postgres import Postgres
from benchmarks.bulk import add_feed, add_live
from benchmarks.contenders.base import SECRET
from benchmarks.harness import Run, folder, postgres
from benchmarks.records import Part, Table, Target, at_least, at_most, ratio
from tests.postgres import Server

FEW, TICK = 4, 0.001
#: Seconds after which the statistics contain what came before.
SETTLED = 11
#: Times the seconds of a load: how long is watched what goes on and on.
WATCHED = 6
KNOWN, STALL, FRESH, MEMORY = "known after, ms", "longest stall, ms", "fresh, %", "bytes of memory each"
QUIET, FIRST = "nothing ends", "ended one by one before the process began"
EACH, ALL = "ended one by one, told at once", "end_everything in another process"
STATEMENTS, ON_RELAY = "transactions in a second", "on one relay"
END_ALL = """
import asyncio, sys
from asgi_auth import Auth
async def main():
    async with Auth(sys.argv[1], secret=sys.argv[2]) as auth:
        await auth.end_everything()
asyncio.run(main())
"""
COUNTED = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"


async def measure(run: Run) -> None:
    """Measure one process beside many ends, then the database below many processes."""
    count, watched = run.size.ended, WATCHED * run.size.seconds
    ends = Table(
        "many_ends",
        "Many sessions that end, and a process that follows",
        f"{count:,} sessions on PostgreSQL; a task of the loop measures every {TICK * 1000:.0f} ms how late it is",
        "see the columns",
        baseline=QUIET,
        notes=["a stall is also one that other processes of the machine cause, as when nothing ends"],
    )
    load = Table(
        "followers",
        "Processes that follow the revocations",
        f"each looks twice in the allowed lag of 2 s, for {watched:.0f} s; on one relay, one of them looks for all",
        STATEMENTS,
        baseline=f"{FEW} {ON_RELAY}",
    )
    run.part.tables += [ends, load]
    with folder() as path, postgres() as server:
        await _follow(ends, QUIET, server.database(), lambda _: asyncio.sleep(watched))
        run.save()
        await _begin(ends, server, count)
        run.save()
        await _follow(ends, EACH, server.database(), lambda url: add_feed(url, count), feed=count)
        run.save()
        await _follow(ends, ALL, server.database(), _end_all, live=count)
        run.save()
        for number, relay in ((FEW, True), (run.size.followers, True), (FEW, False)):
            await _load(load, server.database(), number, path / f"relay{number}" if relay else None, watched)
            run.save()


class Watch:
    """Measures how late the event loop is, and how long the knowledge of revocations was fresh."""

    def __init__(self, revocation: Revocation) -> None:
        self._revocation = revocation
        self.longest = self.total = self.stale = 0.0

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(TICK)
            passed = time.perf_counter() - began
            self.longest = max(self.longest, passed - TICK)
            self.total += passed
            self.stale += 0 if self._revocation.is_fresh() else passed

    def add_to(self, table: Table, row: str) -> None:
        """Add what was measured."""
        table.add(row, STALL, [self.longest * 1000])
        table.add(row, FRESH, [100 * (1 - self.stale / self.total)])


@asynccontextmanager
async def _running(*works: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(work()) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[tuple[Postgres, Revocation]]:
    storage = Postgres(url)
    await storage.migrate()
    try:
        yield storage, Revocation(storage, Settings(secret=SECRET), time.time)
    finally:
        await storage.close()


async def _begin(table: Table, server: Server, count: int) -> None:
    """Measure the first look of a process."""
    url = server.database()
    async with _opened(url) as (_, revocation):
        await add_feed(url, count)
        watch = Watch(revocation)
        async with _running(watch.run):
            started = time.perf_counter()
            await revocation.sync()
            table.add(FIRST, KNOWN, [(time.perf_counter() - started) * 1000])
            await asyncio.sleep(0.1)
        table.add(FIRST, STALL, [watch.longest * 1000])
        table.add(FIRST, MEMORY, [_size(revocation.dead) / count])


async def _follow(
    table: Table, row: str, url: str, act: Callable[[str], Awaitable[None]], *, feed: int = 0, live: int = 0
) -> None:
    """Measure a process that follows while sessions end: those of the feed, or all that are live."""
    async with _opened(url) as (_, revocation):
        await revocation.sync()
        await add_live(url, live)
        watch = Watch(revocation)
        async with _running(revocation.follow, watch.run):
            await asyncio.sleep(0.5)
            watch.stale = watch.total = watch.longest = 0.0
            await act(url)
            started = time.perf_counter()
            await _until(lambda: len(revocation.dead) >= feed and (not live or bool(revocation.dead.up_to)))
            if row != QUIET:
                table.add(row, KNOWN, [(time.perf_counter() - started) * 1000])
            await asyncio.sleep(1)
        watch.add_to(table, row)
        if feed:
            table.add(row, MEMORY, [_size(revocation.dead) / feed])


async def _until(holds: Callable[[], bool]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(60):
            while not holds():  # noqa: ASYNC110 (others change what it asks for)
                await asyncio.sleep(TICK)


def _size(dead: EndedSessions) -> int:
    """The bytes of the tables and their keys. The few times are shared."""
    tables = {id(table): table for table in map(dead.table_of, chain(*dead.keys()))}.values()
    return sum(sys.getsizeof(table) + sum(map(sys.getsizeof, table)) for table in tables)


async def _end_all(url: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", END_ALL, url, SECRET)
    await process.wait()


async def _load(table: Table, url: str, number: int, path: Path | None, seconds: float) -> None:
    """Count the transactions of the database below so many processes; here, all of them are in this one."""
    async with AsyncExitStack() as stack:
        # Connections are shared where each process needs one for a moment only.
        opened = [await stack.enter_async_context(_opened(url)) for _ in range(1 if path else number)]
        made = [Revocation(opened[-1 if path else i][0], Settings(secret=SECRET), time.time) for i in range(number)]
        relays = [Relay(str(path), each, 2.0, "one installation") for each in made] if path else []
        followers = [each.follow for each in relays] or [each.follow for each in made]
        await stack.enter_async_context(_running(*followers))
        connection = await asyncpg.connect(url)
        stack.push_async_callback(connection.close)
        await _until(lambda: all(each.is_fresh() for each in made) and all(relay.role != "alone" for relay in relays))
        # Connections that have become idle add to the statistics of PostgreSQL within ten seconds.
        await asyncio.sleep(SETTLED)
        began, started = await connection.fetchval(COUNTED), time.perf_counter()
        await asyncio.sleep(seconds)
        ended = await connection.fetchval(COUNTED)
        row = f"{number} {ON_RELAY if path else 'without a relay'}"
        table.add(row, STATEMENTS, [(ended - began) / (time.perf_counter() - started)])


def targets(part: Part) -> list[Target]:
    """Knowledge stays fresh, nothing stalls, and many processes cost what few do."""
    ends, load = part.tables
    many = [name for name in load.rows if name.endswith(ON_RELAY)][1:]
    times = ratio(load.get(many[0], STATEMENTS), load.get(f"{FEW} {ON_RELAY}", STATEMENTS)) if many else None
    found = []
    for row in (EACH, ALL):
        found.append(at_least(f"fresh while many sessions end, {row}", "≥ 99 %", 99, ends.get(row, FRESH)))
        found.append(at_most(f"longest stall while many sessions end, {row}", "≤ 50 ms", 50, ends.get(row, STALL)))
    found.append(at_most("first look at many ended sessions", "≤ 1,000 ms", 1000, ends.get(FIRST, KNOWN)))
    found.append(at_most("longest stall of that look", "≤ 50 ms", 50, ends.get(FIRST, STALL)))
    found.append(at_most("transactions below all followers on one relay, of those below 4", "≤ 1.5 ×", 1.5, times))
    return found
