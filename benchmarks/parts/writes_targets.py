"""The targets of performance.md, section 2."""

from benchmarks.records import Part, Table, Target, at_least, ratio

DATABASES = ("SQLite", "PostgreSQL")
OURS = "asgi_auth, passwords and sessions"
DEFAULTS = "asgi_auth, all defaults"
FLOORS = {"SQLite": ("writer thread", "group commit"), "PostgreSQL": ("one statement", "one transaction")}
#: The floor that a refresh on SQLite is held against: one statement with a COMMIT of its own. For that of PostgreSQL,
#: see the part `floors`.
FLOOR = "floor: writer thread"
#: Refreshes per second that were asked for: ten times the best peer that can rotate, when it was measured first.
REFRESHES = {"SQLite": 2600, "PostgreSQL": 3300}
REFRESH, LOGIN = "refresh, 32 in flight", "login, 32 in flight"


def targets(part: Part) -> list[Target]:
    """For each database: refreshes against the floor and the best peer, logins against the best peer."""
    found: list[Target] = []
    for table in part.tables[: len(DATABASES)]:
        database = next(name for name in DATABASES if table.name.endswith(name.lower()))
        refresh, login = table.get(OURS, REFRESH), table.get(OURS, LOGIN)
        floor, least = table.get(FLOOR, REFRESH), REFRESHES[database]
        found += [
            at_least(f"refreshes on {database}", f"≥ {least:,} per second", least, refresh, scales=True),
            at_least(f"refreshes on {database}, of the best peer", "≥ 10 ×", 10, ratio(refresh, _best(table, REFRESH))),
            *(
                [at_least(f"refreshes on {database}, of the floor", "≥ 0.7 ×", 0.7, ratio(refresh, floor))]
                if floor
                else []
            ),
            at_least(f"logins on {database}, of the best peer", "≥ 2 ×", 2, ratio(login, _best(table, LOGIN))),
            at_least(
                f"logins on {database} with all defaults, of the best peer",
                "≥ 2 ×",
                2,
                ratio(table.get(DEFAULTS, LOGIN), _best(table, LOGIN)),
            ),
        ]
    return found


def _best(table: Table, column: str) -> float | None:
    """The best peer."""
    rates = [table.get(row, column) for row in table.rows if not row.startswith(("asgi_auth", "floor"))]
    return max((rate for rate in rates if rate is not None), default=None)
