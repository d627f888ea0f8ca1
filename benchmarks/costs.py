"""What one process carries, and what so many users need: from the results, for the documentation."""

from benchmarks.parts import end_to_end, processes, statements, storm, writes_targets
from benchmarks.records import Results, Table, ratio

DATABASES = writes_targets.DATABASES
#: How people come: what the documentation says of the extrapolation.
DAILY, REFRESHES, LOGIN_DAYS, PEAK, SESSIONS = 0.1, 3, 14, 4, 3
DAY = 86400
GIB = 2**30


def table_of(results: Results, name: str) -> Table:
    """A table by its name; an empty one when it wasn't measured."""
    found = (table for part in results.parts.values() for table in part.tables if table.name == name)
    return next(found, Table(name, "", "", ""))


def carries(results: Results) -> list[list[str]]:
    """What a process does in a second."""
    writes = {database: table_of(results, f"writes_{database.lower()}") for database in DATABASES}
    requests = table_of(results, "end_to_end").get(end_to_end.SEEN, "per second")
    hashes = table_of(results, "storm").get(storm.DEFAULT, storm.RATE)
    counted = table_of(results, "statements")
    rows = [
        ["in a second", *DATABASES, "statements"],
        ["---"] * 4,
        ["requests with a token seen before, under uvicorn", *[_rate(requests)] * 2, "none"],
    ]
    for name, row, column, call in (
        ("refreshes", writes_targets.DEFAULTS, writes_targets.REFRESH, "refresh, all default features"),
        ("logins but for the hash", writes_targets.OURS, writes_targets.LOGIN, "login, passwords and sessions"),
        ("the same, limits and lockout counted in the database", writes_targets.DEFAULTS, writes_targets.LOGIN,
         "login, all default features"),
    ):  # fmt: skip
        rates = [_rate(writes[database].get(row, column)) for database in DATABASES]
        rows.append([name, *rates, _statements(counted, call)])
    rows.append([f"logins with the default hash, on all {storm.CORES} cores", *[_rate(hashes)] * 2, "as above"])
    return rows


def sizing(results: Results) -> list[list[str]]:
    """What so many users need, extrapolated."""
    hashes = table_of(results, "storm").get(storm.DEFAULT, storm.RATE)
    refreshes = table_of(results, "writes_postgresql").get(writes_targets.DEFAULTS, writes_targets.REFRESH)
    disk = list(table_of(results, "disk").rows.values())
    head = ["users", "refreshes/s", "logins/s", "cores that hash", "processes that refresh", "on disk"]
    rows = [[*head, "statements/s", "MiB of WAL in an hour"], ["---"] * 8]
    if not (hashes and refreshes and disk):
        return rows
    size = {name: figure.median for name, figure in disk[-1].items()}
    for users in (10**6, 10**8):
        refreshing = users * DAILY * REFRESHES / DAY * PEAK
        logging_in = users * DAILY / LOGIN_DAYS / DAY * PEAK
        stored = users * (size["users"] + size["credentials"] + SESSIONS * size["sessions"]) / GIB
        hashing = logging_in / (hashes / storm.CORES)
        rows.append(
            [f"{users:,}", f"{refreshing:,.0f}", f"{logging_in:,.1f}", f"{hashing:,.1f}",
             f"{refreshing / refreshes:,.2f}", f"{stored:,.1f} GiB",
             *_in_the_busiest_hour(results, refreshing, logging_in)]
        )  # fmt: skip
    return rows


def _statements(counted: Table, call: str) -> str:
    """Name the reads and writes of a call."""
    kinds = ((counted.get(call, name), name) for name in (statements.READS, statements.WRITES))
    return ", ".join(f"{value:.0f} {name if value > 1 else name[:-1]}" for value, name in kinds if value)


def _in_the_busiest_hour(results: Results, refreshes: float, logins: float) -> list[str]:
    """Statements in a second and MiB of WAL in an hour, with all default features."""
    counted = table_of(results, "statements")

    def cost(column: str) -> float:
        of = [counted.get(f"{kind}, all default features", column) or 0 for kind in ("refresh", "login")]
        return refreshes * of[0] + logins * of[1]

    asked = sum(cost(column) for column in (statements.READS, statements.WRITES, statements.OTHERS))
    return [f"{asked:,.0f}", f"{cost(statements.WAL) * 3600 / 2**20:,.0f}"]


def counted_calls(results: Results) -> list[list[str]]:
    """The statements and the WAL of each kind of call."""
    table = table_of(results, "statements")
    lines = [["call", *statements.COLUMNS], ["---"] * (1 + len(statements.COLUMNS))]
    for name, row in table.rows.items():
        if any(figure.median for figure in row.values()):
            lines.append([name, *[f"{row[column].median:,.0f}" for column in statements.COLUMNS]])
    return lines


def several_processes(results: Results) -> list[list[str]]:
    """What several processes do together, and how many times as much as one."""
    kinds = processes.COLUMNS
    lines = [["database", "processes", *kinds], ["---"] * (2 + len(kinds))]
    for database in processes.DATABASES:
        table = table_of(results, f"processes_{database.lower()}")
        for row in table.rows:
            rates = {kind: table.get(row, kind) for kind in kinds}
            shares = {kind: ratio(rate, table.get(table.baseline, kind)) or 0 for kind, rate in rates.items()}
            cells = [f"{_rate(rate)} · {shares[kind]:.2g} ×" for kind, rate in rates.items()]
            lines.append([database, row.partition(" ")[0], *cells])
    return lines


def steps_of_a_refresh(results: Results) -> list[list[str]]:
    """The processor time of a refresh by areas of the code, beside the floor that does the same work."""
    table = table_of(results, "floor_steps")
    names = next(iter(table.rows.values()), {})
    lines = [["µs of a refresh", *names], ["---"] * (1 + len(names))]
    for area, row in table.rows.items():
        if any(figure.median >= 1 for figure in row.values()):
            lines.append([area, *[f"{figure.median:.0f}" for figure in row.values()]])
    return lines


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{float(f'{value:.2g}'):,g}"


def overloaded(results: Results) -> list[list[str]]:
    """What succeeds beyond the capacity, and how slow the slowest answer is."""
    table = table_of(results, "overload")
    loads = [name for name in next(iter(table.rows.values()), {}) if name.startswith("goodput")]
    lines = [["logins in a second", "capacity", *loads, "slowest answer, s"], ["---"] * (3 + len(loads))]
    for name, row in table.rows.items():
        good = [row[load].median for load in loads]
        nothing = ["–", *("0" for _ in good)]
        shown = [f"{value:.1f}" for value in (row["capacity"].median, *good)] if any(good) else nothing
        lines.append([name, *shown, f"{row['slowest answer, s'].most:.1f}"])
    return lines
