"""What is promised, and which rows break it."""

from tests.ha.judge import Verdict
from tests.ha.row import Row


def misses(row: Row) -> list[str]:
    """Name the targets that a row misses, by route."""
    routes = row.failure.routes
    found = [
        f"{route.name}: {text}" for route in routes for text in _of_route(row, row.verdicts[route.name], route.lag)
    ]
    found += [
        f"{route.name}: {most} connections, not {route.most_connections} at most"
        for route in routes
        if (most := row.connections.get(route.name, 0)) > route.most_connections
    ]
    return found


def _of_route(row: Row, verdict: Verdict, lag: float) -> list[str]:
    found = []
    bound = row.failure.bound
    promises_all = row.synchronous
    if verdict.after_database > bound:
        found.append(f"writes work {verdict.after_database:.1f} s after the database, not {bound:.0f}")
    if verdict.broken:
        found.append(f"requests that broke: {dict(verdict.broken)}")
    if verdict.lost and promises_all:
        found.append(f"acknowledged writes lost: {dict(verdict.lost)}")
    if verdict.reuse:
        found.append(f"honest clients were taken for thieves: {verdict.reuse}")
    others = {code: n for code, n in verdict.refused.items() if code != "token_reuse"}
    if others and promises_all:
        found.append(f"good tokens were refused: {others}")
    if verdict.late and (promises_all or not row.failure.splits):
        found.append(f"{verdict.late} ends later than {lag:.0f} s, up to {verdict.latest:.1f} s")
    return found


def report(rows: list[Row]) -> int:
    """Print what is missed; return 1 if anything is."""
    missed = [(row, text) for row in rows for text in misses(row)]
    for row, text in missed:
        mode = "synchronous" if row.synchronous else "asynchronous"
        print(f"MISSED {row.failure.name} ({mode}): {text}")
    print(f"{len(rows)} failures, {len(missed)} targets missed")
    return 1 if missed else 0
