"""What authentication adds to a request, in process: ours in its variants, and the peers.

Each contender runs in a process of its own; in each round all take turns, and each times the same requests through its
app with authentication and through the same app without, one after the other. What is shown is the difference.
"""

from functools import partial

from benchmarks.contenders.base import Options
from benchmarks.harness import Collected, Run, Worker, folder, postgres, workers
from benchmarks.parts.peers import REQUESTS, peers
from benchmarks.records import Part, Table, Target, at_most, ratio

OURS = "asgi_auth"
KINDS = ("bearer", "cookie", "first seen", "anonymous", "invalid", "roles")
PYJWT = "bare PyJWT decode"
CHECKED = "dictionary of tokens by hand, with the same checks"
SELECT = "bare SELECT by key, asyncpg"


async def measure(run: Run) -> None:
    """Measure ours, then all together."""
    table = Table(
        "requests",
        "An authenticated request, in process",
        f"{run.size.requests} GETs one after the other (fewer of who takes over a quarter of a second), 6 headers, "
        "HS256; revocation on in ours, cached unless strict",
        "µs over the app without authentication",
        baseline=f"{OURS}, bearer, token seen",
        chart="adds",
    )
    run.part.tables.append(table)
    with folder() as path, postgres() as server:
        memory = Options()
        wanted = {
            OURS: ("ours", memory),
            f"{OURS}, Starlette": ("ours", Options(variant="starlette")),
            f"{OURS}, strict, SQLite": ("ours", Options(f"sqlite:///{path}/strict.db", variant="strict")),
            f"{OURS}, strict, PostgreSQL": ("ours", Options(server.database(), variant="strict")),
            PYJWT: ("pyjwt_alone", memory),
            CHECKED: ("handwritten", Options(variant="checked")),
            "dictionary of tokens by hand, without revocation": ("handwritten", memory),
            SELECT: ("select_alone", Options(server.database())),
            **peers(REQUESTS, path, server, run),
        }
        async with workers(run, wanted) as able:
            await _rounds(run, table, able)


async def _rounds(run: Run, table: Table, able: dict[str, Worker]) -> None:
    async def turn(row: str, worker: Worker, kind: str) -> None:
        if row not in table.rows:
            await worker.ask("prepare", kind, run.size.requests)
        bare, whole = await worker.ask("requests", kind)
        kept = Collected(run, table, row)
        kept.add("adds", whole - bare)
        kept.add("the bare app", bare)

    turns = {
        label(name, kind): partial(turn, label(name, kind), worker, kind)
        for name, worker in able.items()
        for kind in (KINDS if name == OURS else worker.kinds[:1])
    }
    await run.rounds(turns)


def label(name: str, kind: str) -> str:
    """Name a row."""
    shown = {"bearer": "bearer, token seen", "cookie": "cookie, token seen", "first seen": "bearer, token first seen"}
    return f"{name}, {shown.get(kind, kind)}" if name == OURS else name


def targets(part: Part) -> list[Target]:
    """The targets of performance.md, section 1; as ratios, too: there a PyJWT decode took 40 µs, and a SELECT 137."""
    (table,) = part.tables

    def adds(row: str) -> float | None:
        return table.get(row, "adds")

    first = ratio(adds(f"{OURS}, bearer, token first seen"), adds(PYJWT))
    strict = adds(f"{OURS}, strict, PostgreSQL")
    seen = adds(f"{OURS}, bearer, token seen")
    return [
        at_most("a token seen before adds", "≤ 5 µs", 5, seen, scales=True),
        at_most("a token seen before, of a bare PyJWT decode", "≤ 0.125 ×", 0.125, ratio(seen, adds(PYJWT))),
        at_most("a token seen before, with a role required, adds", "≤ 5 µs", 5, adds(f"{OURS}, roles"), scales=True),
        at_most("a token first seen, of a bare PyJWT decode", "≤ 1.3 ×", 1.3, first),
        at_most("strict revocation on SQLite adds", "≤ 60 µs", 60, adds(f"{OURS}, strict, SQLite"), scales=True),
        at_most(
            "strict revocation on PostgreSQL adds", "≤ 200 µs", 200, adds(f"{OURS}, strict, PostgreSQL"), scales=True
        ),
        at_most("strict revocation on PostgreSQL, of a bare SELECT", "≤ 1.46 ×", 1.46, ratio(strict, adds(SELECT))),
    ]
