"""Rows as text for the terminal, and the results as the table of the guide."""

import re
from collections import Counter
from typing import Any

from tests.deploy.programs import ROOT
from tests.ha import results
from tests.ha.failures import FAILURES, Failure
from tests.ha.routes import ROUTES
from tests.ha.row import Row

GUIDE = ROOT / "docs" / "guides" / "high-availability.md"
BEGIN, END = "<!-- results: tests/ha/results.json -->", "<!-- end -->"
COLUMNS = ("failure", "the database", "all hosts in the URL", "HAProxy", "pgbouncer", "calls", "lost or late")
SHOWN = ("hosts", "haproxy", "pgbouncer")
#: What is lost, in the singular and in the plural.
NOUNS = {
    "account": "accounts",
    "session": "sessions",
    "refresh": "refreshes",
    "end of a session": "ends of sessions",
    "live session ended": "live sessions ended",
}


def text_of(row: Row) -> str:
    """Return a row for the terminal."""
    database = "no outage" if row.database is None else f"back after {row.database:.1f} s"
    lines = [f"\n{results.key(row.failure.name, synchronous=row.synchronous)}: the database: {database}"]
    for name, verdict in row.verdicts.items():
        outage = "none" if verdict.outage is None else f"{verdict.outage:.1f} s (+{verdict.after_database:.1f} s)"
        parts = {
            "acknowledged": verdict.acknowledged,
            "503": dict(verdict.unavailable),
            "broken": dict(verdict.broken),
            "calls": dict(verdict.calls),
            "refused": dict(verdict.refused),
            "lost": dict(verdict.lost),
            "late": f"{verdict.late}, {verdict.latest:.1f} s" if verdict.late else 0,
            "connections": row.connections.get(name, 0),
        }
        shown = "; ".join(f"{key} {value}" for key, value in parts.items() if value)
        lines.append(f"  {name:9} outage {outage}; {shown}")
    return "\n".join(lines)


def markdown() -> str:
    """Return the tables of the guide: with `synchronous_mode`, and without it."""
    found = results.load()
    parts = []
    for synchronous in (True, False):
        rows = [_line(failure, found["rows"], synchronous=synchronous) for failure in FAILURES]
        mode = "With" if synchronous else "Without"
        head = [_joined(COLUMNS), _joined(["---"] * len(COLUMNS))]
        parts += [f"**{mode} `synchronous_mode`:**", "", *head, *filter(None, rows), ""]
    if redis := found["rows"].get(results.key("redis", synchronous=True)):
        cost = _outage(redis["routes"]["redis"]).removeprefix("+")
        lost = _lost(redis, ("redis",))
        parts += [f"**When the primary of Redis is killed** below Sentinel: {cost}; lost or late: {lost}.", ""]
    dates = sorted(row["date"] for row in found["rows"].values())
    programs = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    load = max(row["load"] for row in found["rows"].values())
    machine = f"{found['processors']} processors, while other work ran there (load average up to {load})"
    return "\n".join([*parts, f"Measured on {when} with {programs}, on {machine}."])


def with_results(text: str) -> str:
    """Return the text of the guide with the tables of the results."""
    pattern = re.compile(f"({re.escape(BEGIN)}\n).*?({END})", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{markdown()}\n{found[2]}", text)


def write(rows: list[Row]) -> None:
    """Save rows, and write the tables into the guide."""
    if rows:
        results.save(rows)
    GUIDE.write_text(with_results(GUIDE.read_text("utf-8")), "utf-8")


def _line(failure: Failure, rows: dict[str, Any], *, synchronous: bool) -> str:
    row = rows.get(results.key(failure.name, synchronous=synchronous))
    if row is None or failure.routes != ROUTES:
        return ""
    # A pause of the probe alone is one of the machine.
    is_away = row["database"] is not None and any(row["routes"][name]["after_database"] is not None for name in SHOWN)
    database = f"{row['database']} s" if is_away else "no outage"
    cells = [_outage(row["routes"][name]) for name in SHOWN]
    calls = f"{_share(row, SHOWN)} / {_share(row, ('lag60',))}"
    return _joined([failure.text, database, *cells, calls, _lost(row, SHOWN)])


def _outage(route: dict[str, Any]) -> str:
    after = route["after_database"]
    parts = ["no outage" if after is None else f"+{after} s"]
    parts += [f"{route['unavailable']} × 503"] if route["unavailable"] else []
    parts += [f"{route['broken']} broken"] if route["broken"] else []
    return ", ".join(parts)


def _share(row: dict[str, Any], names: tuple[str, ...]) -> str:
    calls: Counter[str] = Counter()
    for name in names:
        calls.update(row["routes"][name]["calls"])
    return f"{100 * calls['200'] / calls.total():.0f} %" if calls.total() else "–"


def _lost(row: dict[str, Any], names: tuple[str, ...]) -> str:
    lost: Counter[str] = Counter()
    for name in names:
        lost.update(row["routes"][name]["lost"])
        lost.update({f"refused: `{code}`": number for code, number in row["routes"][name]["refused"].items()})
    parts = [f"{number} {NOUNS.get(what, what) if number > 1 else what}" for what, number in sorted(lost.items())]
    late = [row["routes"][name] for name in names if row["routes"][name]["late"]]
    if late:
        parts.append(f"{sum(route['late'] for route in late)} late, {max(route['latest'] for route in late)} s at most")
    return ", ".join(parts) or "nothing"


def _joined(cells: "tuple[str, ...] | list[str]") -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    write([])
