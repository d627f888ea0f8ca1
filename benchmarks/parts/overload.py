"""Overload: how many logins succeed, and how slow the slowest answer is, beyond what a server in trouble carries."""

import asyncio
import logging

from benchmarks.harness import Collected, Run
from benchmarks.overload import LOADS, SITUATIONS, Outcome
from benchmarks.overload import measure as measured
from benchmarks.records import Part, Table, Target, at_least, at_most, ratio

CAPACITY, SLOWEST = "capacity", "slowest answer, s"
#: The situations in which logins can succeed.
CARRYING = ("slow PostgreSQL", "full hash queue")


def goodput(load: int) -> str:
    """The column of a load."""
    return f"goodput at {load} ×"


async def measure(run: Run) -> None:
    """Measure each situation with each load."""
    logging.getLogger("asgi_auth").setLevel(logging.CRITICAL)
    seconds, bound = run.size.overload, run.size.answer
    loads = ", ".join(f"{load}" for load in LOADS)
    table = Table(
        "overload",
        "The slowest answer to logins beyond the capacity",
        f"Logins arrive in process for {seconds:g} s at {loads} times the capacity, whatever the answers are; the "
        f"bound of a request is {bound:g} s. The capacity is what a few callers reach that wait for their answers, or "
        "10 a second where no login can succeed",
        "logins per second (and see the columns)",
        chart=SLOWEST,
    )
    run.part.tables.append(table)
    for name, situation in SITUATIONS.items():
        if run.left() < 0:
            run.leave_out(name, "there was no time left")
            continue
        capacity, outcomes = await asyncio.wait_for(measured(situation, seconds, bound), 90)
        _collect(Collected(run, table, name), capacity, outcomes)
        run.save()


def _collect(kept: Collected, capacity: float, outcomes: dict[int, Outcome]) -> None:
    kept.add(CAPACITY, capacity)
    for load, outcome in outcomes.items():
        kept.add(goodput(load), outcome.goodput)
    for outcome in outcomes.values():
        kept.add(SLOWEST, outcome.slowest)


def targets(part: Part) -> list[Target]:
    """Goodput under overload of its peak; the slowest of all answers."""
    [table] = part.tables
    found = []
    for name in CARRYING:
        reached = [value for load in LOADS if (value := table.get(name, goodput(load))) is not None]
        share = ratio(table.get(name, goodput(LOADS[-1])), max(reached, default=0))
        found.append(at_least(f"goodput at {LOADS[-1]} × the capacity, {name}, of its peak", "≥ 0.8 ×", 0.8, share))
    slowest = [row[SLOWEST].most for row in table.rows.values() if SLOWEST in row]
    found.append(at_most("slowest answer in any situation", "≤ 5.5 s", 5.5, max(slowest, default=None)))
    return found
