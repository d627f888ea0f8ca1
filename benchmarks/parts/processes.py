"""How requests, refreshes and logins grow with the number of processes: 1, 2 and 4 on one database.

Each process is ours with passwords and sessions, and sends its load to itself in process: nothing but the cores and the
database is shared. The numbers of processes take turns in each round.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

from benchmarks.contenders.base import Options
from benchmarks.harness import Collected, Run, Worker, folder, postgres, worker
from benchmarks.records import Table

DATABASES = ("PostgreSQL", "SQLite")
COLUMNS = ("requests", "refreshes", "logins")
#: Refreshes and logins that a process has in flight.
FLIGHT = 16
#: Requests, for each refresh: they take a fiftieth of its time.
REQUESTS = 50


async def measure(run: Run) -> None:
    """Measure both databases by turns."""
    tables = {database: _table(run, database) for database in DATABASES}
    run.part.tables += tables.values()
    with folder() as path, postgres() as server:
        urls = {"PostgreSQL": server.database(), "SQLite": f"sqlite:///{path}/processes.db"}
        async with AsyncExitStack() as stack:
            turns: dict[str, Callable[[], Awaitable[None]]] = {}
            for database, url in urls.items():
                able = [
                    await stack.enter_async_context(worker("ours", Options(url, run.size.users, seed=number == 0)))
                    for number in range(max(run.size.processes))
                ]
                for number in run.size.processes:
                    row = f"{number} {'process' if number == 1 else 'processes'}"
                    kept = Collected(run, tables[database], row)
                    turns[f"{row}, {database}"] = partial(_turn, run, kept, able[:number])
            await run.rounds(turns)


def _table(run: Run, database: str) -> Table:
    safe = "synchronous=FULL" if database == "SQLite" else "fsync off as in the tests, a pool of 10 in each process"
    return Table(
        f"processes_{database.lower()}",
        f"Requests, refreshes and logins of several processes, {database}",
        f"each process does {run.size.writes * REQUESTS} requests with a token seen before, one after the other, then "
        f"{run.size.writes} refreshes and as many logins, {FLIGHT} in flight; argon2 at its minimum; in process: only "
        f"the cores and the database are shared; {safe}; {run.size.users} users",
        "per second, all processes together",
        baseline="1 process",
        lower=False,
    )


async def _turn(run: Run, kept: Collected, able: list[Worker]) -> None:
    """Let some processes do all loads at once, one kind after the other."""
    count, first = run.size.writes, time.monotonic_ns() // 10**6 % 10**6

    async def rate(each: int, do: Callable[[Worker, int], Awaitable[object]]) -> float:
        started = time.perf_counter()
        await asyncio.gather(*[do(at, first + number * (count + FLIGHT)) for number, at in enumerate(able)])
        return each * len(able) / (time.perf_counter() - started)

    await asyncio.gather(*[at.ask("sessions", FLIGHT, first + number) for number, at in enumerate(able)])
    kept.add("requests", await rate(count * REQUESTS, lambda at, _: at.ask("answer", count * REQUESTS)))
    kept.add("refreshes", await rate(count, lambda at, start: at.ask("refresh", count, FLIGHT, start)))
    kept.add("logins", await rate(count, lambda at, start: at.ask("login", count, FLIGHT, start)))
