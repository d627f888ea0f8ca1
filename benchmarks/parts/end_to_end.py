"""The share of requests per second that authentication leaves, end to end under uvicorn.

Each contender serves its app with and without authentication, one uvicorn worker each; in each round both take the same
load, one after the other, and the share is taken within the round.
"""

from contextlib import AsyncExitStack
from functools import partial

from benchmarks.contenders.base import Options
from benchmarks.harness import LeftOutError, Run, folder, postgres
from benchmarks.load import CONNECTIONS, client, rate
from benchmarks.parts.peers import SERVED, peers
from benchmarks.records import Part, Table, Target, at_least
from benchmarks.serve import Served, served

SEEN = "asgi_auth, token seen"
FIRST = "asgi_auth, token first seen"
STARLETTE = "asgi_auth on Starlette, token seen"
OURS = (SEEN, FIRST, STARLETTE)
#: More than are remembered: when they come by turns, each has been forgotten.
FRESH = 6000
SHARE = "share of the bare app"


async def measure(run: Run) -> None:
    """Measure all by turns."""
    table = Table(
        "end_to_end",
        "Requests per second that authentication leaves, under uvicorn",
        "GET of 2 bytes, the same requests to both apps, "
        f"{CONNECTIONS} connections, {run.size.seconds:g} s a time, one worker with uvloop and "
        f"httptools where they are installed; load by {client()} on the same machine; ours in front of a "
        "bare ASGI app, which makes the share hardest to keep",
        "percent of the same app without authentication",
        baseline=SEEN,
        lower=False,
        chart=SHARE,
    )
    run.part.tables.append(table)
    with folder() as path, postgres() as server:
        wanted = {
            SEEN: ("ours", Options(), "bearer", 1),
            FIRST: ("ours", Options(), "first seen", FRESH),
            STARLETTE: ("ours", Options(variant="starlette"), "bearer", 1),
            **{row: (*how, "bearer", 1) for row, how in peers(SERVED, path, server, run).items()},
        }
        for number, (row, how) in enumerate(wanted.items()):
            if run.left() < 4 * run.size.seconds:
                run.leave_out(row, "the time was over")
            else:
                # Ours may have a third of the time, the others what is left by equal shares.
                await _contender(run, table, row, how, 1 / 8 if row in OURS else 1 / (len(wanted) - number))


async def _contender(run: Run, table: Table, row: str, how: tuple[str, Options, str, int], share: float) -> None:
    """Let the two apps of a contender take turns; other contenders would only stand in the way meanwhile."""
    name, options, kind, count = how
    rates: list[tuple[float, float]] = []
    try:
        async with AsyncExitStack() as stack:
            bare = await stack.enter_async_context(served(name, options, "bare", kind=kind, count=count))
            app = await stack.enter_async_context(served(name, options, "app", kind=kind, count=count))
            for each in (bare, app):
                await rate(each.url, each.requests, min(1, run.size.seconds))
            await run.rounds({row: partial(_turn, run, rates, bare, app)}, share)
    except LeftOutError as reason:
        run.leave_out(row, reason)
        return
    table.add(row, SHARE, [100 * with_it / without for without, with_it in rates])
    table.add(row, "per second", [with_it for _, with_it in rates])
    table.add(row, "the bare app, per second", [without for without, _ in rates])
    run.save()


async def _turn(run: Run, rates: list[tuple[float, float]], bare: Served, app: Served) -> None:
    without = await rate(bare.url, bare.requests, run.size.seconds)
    rates.append((without, await rate(app.url, app.requests, run.size.seconds)))


def targets(part: Part) -> list[Target]:
    """The targets of performance.md, section 1 and the findings."""
    (table,) = part.tables
    return [
        at_least("requests per second left, token seen, bare ASGI app", "≥ 90 %", 90, table.get(SEEN, SHARE)),
        at_least("requests per second left, token seen, Starlette", "≥ 95 %", 95, table.get(STARLETTE, SHARE)),
        at_least("requests per second left, token first seen", "≥ 55 %", 55, table.get(FIRST, SHARE)),
    ]
