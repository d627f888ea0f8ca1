"""The results of all rows, in a file: a run replaces the rows that it has run."""

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.ha.judge import Verdict
from tests.ha.row import Row

FILE = Path(__file__).with_name("results.json")
PROGRAMS = {
    "PostgreSQL": ["/usr/lib/postgresql/15/bin/postgres", "--version"],
    "Patroni": ["patroni", "--version"],
    "etcd": ["etcd", "--version"],
    "HAProxy": ["haproxy", "-v"],
    "pgbouncer": ["pgbouncer", "--version"],
}


def load() -> dict[str, Any]:
    """Read the file."""
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {"rows": {}}
    return found


def save(rows: list[Row]) -> None:
    """Put rows into the file, with the date and the versions."""
    results = load()
    results["versions"] = versions()
    results["processors"] = os.cpu_count()
    for row in rows:
        results["rows"][key(row.failure.name, synchronous=row.synchronous)] = _plain(row)
    FILE.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", "utf-8")


def key(failure: str, *, synchronous: bool) -> str:
    """Name a row."""
    return f"{failure} {'synchronous' if synchronous else 'asynchronous'}"


def versions() -> dict[str, str]:
    """Return the versions of the programs."""
    found = {}
    for name, command in PROGRAMS.items():
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        (found[name], *_) = re.findall(r"\d+(?:\.\d+)+", text)
    return found


def _plain(row: Row) -> dict[str, Any]:
    routes = {name: _of_route(verdict) for name, verdict in row.verdicts.items()}
    database = None if row.database is None else round(row.database, 1)
    load = round(os.getloadavg()[0])
    return {"date": time.strftime("%Y-%m-%d"), "load": load, "database": database, "routes": routes}


def _of_route(verdict: Verdict) -> dict[str, Any]:
    return {
        "acknowledged": verdict.acknowledged,
        "after_database": None if verdict.outage is None else round(verdict.after_database, 1),
        "unavailable": verdict.unavailable.total(),
        "broken": verdict.broken.total(),
        "calls": {str(status): number for status, number in sorted(verdict.calls.items())},
        "refused": dict(verdict.refused),
        "lost": dict(verdict.lost),
        "late": verdict.late,
        "latest": round(verdict.latest, 1),
    }
