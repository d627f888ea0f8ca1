"""Requests with tokens seen before: beside a middleware by hand with the same checks, and of a client to a resource.

All take turns of a few dozen milliseconds. The ratio to the middleware by hand, and what a request to a resource such
as `/mcp` costs beyond one to the host, are taken between neighboring turns: a busy machine disturbs both alike.
"""

from benchmarks.contenders.base import Options
from benchmarks.harness import Collected, Run, Worker, workers
from benchmarks.records import Part, Table, Target, at_most

BY_HAND, ALONE = "by hand, with the same checks", "asgi_auth"
HOST, RESOURCE = "asgi_auth with pages and a resource, to the host", "asgi_auth, of a client to the resource"
TIMES, BEYOND = "asgi_auth, times one by hand", "asgi_auth, of a client, beyond one to the host beside it"
ADDS = "adds"
TURNS = 8


async def measure(run: Run) -> None:
    """Measure by turns."""
    table = Table(
        "seen",
        "Requests with tokens seen before, in process",
        f"{run.size.requests} GETs in each of {TURNS} turns of a round, 6 headers, HS256, SQLite in memory, revocation "
        "on; no request makes a query",
        "µs over the app without authentication",
        baseline=BY_HAND,
    )
    run.part.tables.append(table)
    wanted = {
        BY_HAND: ("handwritten", Options(variant="checked")),
        ALONE: ("ours", Options()),
        HOST: ("ours", Options(variant="resource")),
    }
    async with workers(run, wanted) as able:
        if len(able) == len(wanted):
            kinds = {row: (at, at.kinds[0]) for row, at in able.items()}
            kinds[RESOURCE] = (able[HOST], "client")
            for at, kind in kinds.values():
                await at.ask("prepare", kind, run.size.requests)
            await run.rounds({"requests": lambda: _round(run, table, kinds)})


async def _round(run: Run, table: Table, kinds: dict[str, tuple[Worker, str]]) -> None:
    for _ in range(TURNS):
        added = {}
        for row, (at, kind) in kinds.items():
            bare, whole = await at.ask("requests", kind)
            added[row] = whole - bare
            Collected(run, table, row).add(ADDS, added[row])
        Collected(run, table, TIMES).add(ADDS, added[ALONE] / added[BY_HAND])
        Collected(run, table, BEYOND).add(ADDS, added[RESOURCE] - added[HOST])


def targets(part: Part) -> list[Target]:
    """What the middleware may cost beside one by hand, and the rule for the path of a resource."""
    [table] = part.tables
    return [
        at_most("a token seen before, of a middleware by hand", "≤ 2 ×", 2, table.get(TIMES, ADDS)),
        at_most("a client's request to a resource, beyond one to the host", "≤ 1 µs", 1, table.get(BEYOND, ADDS)),
    ]
