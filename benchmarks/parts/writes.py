"""Refreshes and logins with the hash cost taken out: ours, the floors measured in the same run, and the peers.

The floors are what the least possible code does with the same body, hash and JWT (`contenders/floor.py`). All
is done in process, without a server: HTTP costs the same for all and would hide the difference.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from benchmarks.contenders.base import Options
from benchmarks.harness import RESERVED, Collected, Run, Worker, folder, postgres, worker, workers
from benchmarks.parts.peers import WRITES, peers
from benchmarks.parts.writes_targets import DATABASES, DEFAULTS, FLOORS, OURS, targets
from benchmarks.records import Table
from tests.postgres import Server

__all__ = ["measure", "targets"]
FLIGHT = 32
PROCESSES = 4
#: Who starts before the peers.
FIRST = ("asgi_auth", "floor")
#: What a contender is asked to do in a turn: (operation, how many at a time, share of the size's writes).
LOADS = (("login", FLIGHT, 1.0), ("refresh", FLIGHT, 1.0), ("login", 1, 0.2), ("refresh", 1, 0.2))
SLOWER = 0.1
"""Peers and their users are that share of ours, so that a turn takes about as long."""
Loads = dict[tuple[str, str], tuple[str, Options]]


async def measure(run: Run) -> None:
    """Measure one process on each database, all contenders taking turns; then four processes of ours."""
    tables = {database: _table(run, database) for database in DATABASES}
    processes = _table_of_processes(run)
    run.part.tables += [*tables.values(), processes]
    with folder() as path, postgres() as server:
        found = sorted(_wanted(run, path, server).items(), key=lambda item: not item[0][0].startswith(FIRST))
        wanted = {f"{row}@{database}": how for (row, database), how in found}
        async with AsyncExitStack() as stack:
            able = await stack.enter_async_context(workers(run, wanted))
            groups = [await _group(stack, run, database, path, server) for database in DATABASES]
            turns = {name: partial(_turn, run, name, [at]) for name, at in able.items()}
            for database, group in zip(DATABASES, groups, strict=True):
                if not group:
                    continue
                name = f"{PROCESSES} processes@{database}"
                turns[name] = partial(_turn, run, name, group)
            await run.rounds(turns)


def _table(run: Run, database: str) -> Table:
    safe = "synchronous=FULL" if database == "SQLite" else "fsync off as in the tests, pool of 10"
    return Table(
        f"writes_{database.lower()}",
        f"Refresh and login on {database}, one process",
        f"{run.size.writes} of each in a round, {FLIGHT} in flight or one after the other (a fifth as many); argon2 at "
        f"its minimum; in process; {safe}; {run.size.users} users",
        "per second",
        baseline=OURS,
        lower=False,
        chart="refresh, 32 in flight",
    )


def _table_of_processes(run: Run) -> Table:
    return Table(
        "writes_processes",
        "Refresh and login, one and four processes",
        f"as above, with passwords and sessions; four processes do {run.size.writes} each, {FLIGHT // PROCESSES} in "
        "flight in each",
        "per second",
        lower=False,
    )


def _wanted(run: Run, path: Path, server: Server) -> Loads:
    """Contenders on each database, every one with tables of its own."""
    users, found = run.size.users, Loads()

    def url(database: str, name: str) -> str:
        return f"sqlite:///{path}/{name.replace(' ', '')}.db" if database == "SQLite" else server.database()

    for database in DATABASES:
        found[OURS, database] = ("ours", Options(url(database, "ours"), users))
        found[DEFAULTS, database] = ("ours", Options(url(database, "defaults"), users, variant="defaults"))
        for variant in FLOORS[database]:
            found[f"floor: {variant}", database] = ("floor", Options(url(database, variant), users, variant=variant))
        for row, how in peers(WRITES, path, server, run, users=max(20, int(users * SLOWER)), database=database).items():
            found[row.removesuffix(f", {database}"), database] = how
    return found


async def _group(stack: AsyncExitStack, run: Run, database: str, path: Path, server: Server) -> list[Worker]:
    """Four processes of ours on one database; the first makes the tables and the users. None when time is short."""
    if run.left() < run.size.bounds[run.part.name] * RESERVED:
        run.leave_out(f"{OURS}, {database}, {PROCESSES} processes", "they could not start in time")
        return []
    url = f"sqlite:///{path}/group.db" if database == "SQLite" else server.database()
    return [
        await stack.enter_async_context(worker("ours", Options(url, run.size.users, seed=number == 0)))
        for number in range(PROCESSES)
    ]


async def _turn(run: Run, name: str, able: list[Worker]) -> None:
    """Let one contender, or several processes of one at once, do all loads."""
    row, _, database = name.partition("@")
    ours = row.startswith(("asgi_auth", "floor", str(PROCESSES)))
    *tables, processes = run.part.tables
    table = next(each for each in tables if each.name.endswith(database.lower()))
    kept = [Collected(run, table, row)] if len(able) == 1 else []
    if row == OURS or not kept:
        shown = row if len(able) > 1 else "1 process"
        kept.append(Collected(run, processes, f"{OURS}, {database}, {shown}"))
    done = sum(len(values) for values in run.samples.values())
    for operation, flight, share in LOADS:
        if operation not in able[0].kinds or (len(able) > 1 and flight == 1):
            continue
        count = max(flight, int(run.size.writes * share * (1 if ours else SLOWER)))
        lanes = max(1, flight // len(able))
        firsts = [(done * PROCESSES + number) * (count + flight) for number in range(len(able))]
        if operation == "refresh":
            await asyncio.gather(*[at.ask("sessions", lanes, first) for at, first in zip(able, firsts, strict=True)])
        started = time.perf_counter()
        took = await asyncio.gather(
            *[at.ask(operation, count, lanes, first) for at, first in zip(able, firsts, strict=True)]
        )
        seconds = took[0] if len(able) == 1 else time.perf_counter() - started
        column = f"{operation}, {'one by one' if flight == 1 else f'{flight} in flight'}"
        for each in kept:
            each.add(column, count * len(able) / seconds)
        done += 1
