"""How soon another process knows of a revocation, and what the knowledge of many costs."""

import time
from functools import partial

import httpx2

from asgi_auth import Settings
from asgi_auth.sessions.revocation import Revocation
from benchmarks.bulk import add_ended
from benchmarks.contenders import calls
from benchmarks.contenders.base import SECRET, Options
from benchmarks.contenders.ours import Ours
from benchmarks.harness import Collected, Run, folder, postgres
from benchmarks.records import Part, Table, Target, at_most
from tests.cluster import account_at, cluster, revocation_delay

DATABASES = ("SQLite", "PostgreSQL")
LAG = "seen by the other process after, ms"
REQUEST, FIRST, NEXT = "a request adds, µs", "first look, ms", "next look, ms"


async def measure(run: Run) -> None:
    """Measure the lag between two processes on each database, then the cost by the number of revocations."""
    lag = Table(
        "lag",
        "Revocation seen by another process",
        "a logout at one uvicorn process, polled at another; the client's own time is in the figure",
        "ms",
        chart=LAG,
    )
    feed = Table(
        "feed",
        "What revocations that are alive cost",
        f"ended in the last 15 minutes; {run.size.requests} requests with a token seen before; a look reads the table, "
        "twice in the allowed lag of 2 s",
        "see the columns",
        baseline=f"{DATABASES[0]}, {run.size.revoked[0]:,} revocations",
    )
    run.part.tables += [lag, feed]
    with folder() as path, postgres() as server:
        for database in DATABASES:
            url = f"sqlite:///{path}/lag.db" if database == "SQLite" else server.database()
            await _lag(run, lag, database, url)
        turns = {}
        for database in DATABASES:
            for count in run.size.revoked:
                row = f"{database}, {count:,} revocations"
                url = f"sqlite:///{path}/feed{count}.db" if database == "SQLite" else server.database()
                made = await _with_revocations(url, count)
                turns[row] = partial(_look, run, made, Collected(run, feed, row))
        await run.rounds(turns)


async def _lag(run: Run, table: Table, database: str, url: str) -> None:
    kept, end = Collected(run, table, f"asgi_auth, {database}"), run.left() * 0.75
    with cluster(url, 2) as urls:
        async with httpx2.AsyncClient(timeout=30) as client:
            account = await account_at(client, urls[0], "lag")
            for _ in range(run.size.rounds * 10):
                kept.add(LAG, await revocation_delay(client, urls, account) * 1000)
                if run.left() < end:
                    break
    run.save()


async def _with_revocations(url: str, count: int) -> Ours:
    made = Ours(Options(url, users=1))
    await made.open()
    await made.requests("bearer", 1)
    await add_ended(url, count)
    return made


async def _look(run: Run, made: Ours, kept: Collected) -> None:
    """One first look, the next one, and requests with what is known."""
    requests = await made.requests("bearer", run.size.requests)
    looking = Revocation(made.auth.storage, made.auth.settings, time.time)
    for column in (FIRST, NEXT):
        started = time.perf_counter()
        await looking.sync()
        kept.add(column, (time.perf_counter() - started) * 1000)
    bare = await calls.timed_requests(made.bare, requests)
    kept.add(REQUEST, await calls.timed_requests(made.app, requests) - bare)


def targets(part: Part) -> list[Target]:
    """The allowed lag, and that a request costs the same whatever is known."""
    lag, feed = part.tables
    allowed = Settings(secret=SECRET).max_revocation_lag * 1000
    found = []
    for database in DATABASES:
        figure = lag.rows.get(f"asgi_auth, {database}", {}).get(LAG)
        worst = figure.most if figure else None
        found.append(at_most(f"revocation seen by another process, {database}, slowest", "≤ 2,000 ms", allowed, worst))
    rows = [name for name in feed.rows if name.startswith(DATABASES[0])]
    few, many = (feed.get(name, REQUEST) for name in (rows[0], rows[-1])) if rows else (None, None)
    growth = many / few if few and many else None
    found.append(at_most("a request with most revocations alive, of one with none", "≤ 1.5 ×", 1.5, growth))
    return found
