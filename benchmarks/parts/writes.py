"""Refreshes and logins with the hash cost taken out: ours, the floors measured in the same run, and the peers.

The floors are what the least possible code does with the same body, hash and JWT (`contenders/floor.py`). All
is done in process, without a server: HTTP costs the same for all and would hide the difference.
"""

from functools import partial
from pathlib import Path

from benchmarks.contenders.base import Options
from benchmarks.harness import Collected, Run, Worker, folder, postgres, workers
from benchmarks.parts.peers import WRITES, peers
from benchmarks.parts.writes_targets import DATABASES, DEFAULTS, FLOORS, OURS, targets
from benchmarks.records import Table
from tests.postgres import Server

__all__ = ["measure", "targets"]
FLIGHT = 32
#: Who starts before the peers.
FIRST = ("asgi_auth", "floor")
#: What a contender is asked to do in a turn: (operation, how many at a time, share of the size's writes).
LOADS = (("login", FLIGHT, 1.0), ("refresh", FLIGHT, 1.0), ("login", 1, 0.2), ("refresh", 1, 0.2))
SLOWER = 0.1
"""Peers and their users are that share of ours, so that a turn takes about as long."""
Loads = dict[tuple[str, str], tuple[str, Options]]


async def measure(run: Run) -> None:
    """Measure one process on each database, all contenders taking turns."""
    run.part.tables += [_table(run, database) for database in DATABASES]
    with folder() as path, postgres() as server:
        found = sorted(_wanted(run, path, server).items(), key=lambda item: not item[0][0].startswith(FIRST))
        wanted = {f"{row}@{database}": how for (row, database), how in found}
        async with workers(run, wanted) as able:
            await run.rounds({name: partial(_turn, run, name, at) for name, at in able.items()})


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


async def _turn(run: Run, name: str, at: Worker) -> None:
    """Let one contender do all loads."""
    row, _, database = name.partition("@")
    ours = row.startswith(FIRST)
    table = next(each for each in run.part.tables if each.name.endswith(database.lower()))
    kept = Collected(run, table, row)
    done = sum(len(values) for values in run.samples.values())
    for operation, flight, share in LOADS:
        if operation not in at.kinds:
            continue
        count = max(flight, int(run.size.writes * share * (1 if ours else SLOWER)))
        first = done * (count + flight)
        if operation == "refresh":
            await at.ask("sessions", flight, first)
        seconds = await at.ask(operation, count, flight, first)
        kept.add(f"{operation}, {'one by one' if flight == 1 else f'{flight} in flight'}", count / seconds)
        done += 1
