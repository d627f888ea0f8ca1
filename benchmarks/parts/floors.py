"""Refresh and login beside a floor that does the same work by hand, and where the processor time of both goes.

The floor (`contenders/floor_same.py`) runs the same statements on the same tables, and makes the same tokens. Both take
turns of a few dozen calls, and the share is taken between two neighboring turns: a busy machine disturbs both alike.
"""

from benchmarks.contenders.base import Options
from benchmarks.harness import Collected, Run, Worker, postgres, workers
from benchmarks.records import Part, Table, Target, at_least
from benchmarks.sampling import AREAS, OTHER

OURS, FLOOR = "asgi_auth, passwords and sessions", "floor: the same work by hand"
SHARE = "of the floor, percent"
#: What is done, how many at a time, and how many in a turn.
LOADS = (("refresh", 32, 96), ("login", 32, 64), ("refresh", 1, 24), ("login", 1, 16))
#: Turns of each in a round, and calls whose time is sampled, for each call of the size's writes.
TURNS, SAMPLED = 8, 4
TOTAL = "all"
#: More than the calls of a turn.
MOST = 100


async def measure(run: Run) -> None:
    """Measure both on one server."""
    rates, steps = _table_of_rates(run), _table_of_steps(run)
    run.part.tables += [rates, steps]
    with postgres() as server:
        wanted = {
            OURS: ("ours", Options(server.database(), run.size.users)),
            FLOOR: ("floor_same", Options(server.database(), run.size.users)),
        }
        async with workers(run, wanted) as able:
            if len(able) == len(wanted):
                await run.rounds({"pairs": lambda: _round(run, rates, able), "steps": lambda: _steps(run, steps, able)})


def _table_of_rates(run: Run) -> Table:
    turns = TURNS if run.size.name != "tiny" else 1
    return Table(
        "floors",
        "Refresh and login on PostgreSQL beside a floor that does the same work",
        f"{turns} turns of each in a round, of 96 refreshes and 64 logins with 32 in flight, 24 and 16 one by one; in "
        f"process; argon2 at its minimum, in a thread; fsync off as in the tests, a pool of 10; {run.size.users} users",
        "per second",
        lower=False,
    )


def _table_of_steps(run: Run) -> Table:
    return Table(
        "floor_steps",
        "Where the processor time of a refresh goes",
        f"{run.size.writes * SAMPLED} refreshes with 32 in flight, a sample of the stack for each 0.7 ms; the time of "
        "the server itself is not in it",
        "µs of a call",
    )


async def _round(run: Run, table: Table, able: dict[str, Worker]) -> None:
    for operation, flight, count in LOADS:
        shown = f"{operation}, {'one by one' if flight == 1 else f'{flight} in flight'}"
        for at in able.values():
            await at.ask("sessions", flight, 0)
        for _ in range(TURNS if run.size.name != "tiny" else 1):
            # Each login comes from a network that is new for its user.
            first = sum(map(len, run.samples.values())) * MOST
            took = {name: await at.ask(operation, count, flight, first) for name, at in able.items()}
            for name, seconds in took.items():
                Collected(run, table, name).add(shown, count / seconds)
            Collected(run, table, SHARE).add(shown, 100 * took[FLOOR] / took[OURS])


async def _steps(run: Run, table: Table, able: dict[str, Worker]) -> None:
    for name, at in able.items():
        found = await at.ask("sampled", run.size.writes * SAMPLED, 32)
        kept = {area: found.get(area, 0.0) for area in (*AREAS, OTHER)} | {TOTAL: found[""]}
        for area, microseconds in kept.items():
            Collected(run, table, area).add(name, microseconds)


def targets(part: Part) -> list[Target]:
    """The targets of refresh and login, with 32 in flight."""
    table = part.tables[0]
    return [
        at_least(
            f"{name} on PostgreSQL, of a floor that does the same work", f"≥ {goal} %", goal, table.get(SHARE, row)
        )
        for name, row, goal in (("refreshes", "refresh, 32 in flight", 70), ("logins", "login, 32 in flight", 50))
    ]
