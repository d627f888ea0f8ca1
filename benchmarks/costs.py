"""What one process carries, and what so many users need: from the results, for the documentation."""

from benchmarks.parts import end_to_end, storm, writes_targets
from benchmarks.records import Results, Table

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
    rows = [
        ["in a second", *DATABASES, "statements"],
        ["---"] * 4,
        ["requests with a token seen before, under uvicorn", *[_rate(requests)] * 2, "none"],
    ]
    for name, row, column, statements in (
        ("refreshes", writes_targets.DEFAULTS, writes_targets.REFRESH, "1 write"),
        ("logins but for the hash", writes_targets.OURS, writes_targets.LOGIN, "3 reads, 3 writes"),
        ("the same, limits and lockout counted in the database", writes_targets.DEFAULTS, writes_targets.LOGIN,
         "6 reads, 9 writes"),
    ):  # fmt: skip
        rows.append([name, *[_rate(writes[database].get(row, column)) for database in DATABASES], statements])
    rows.append([f"logins with the default hash, on all {storm.CORES} cores", *[_rate(hashes)] * 2, "as above"])
    return rows


def sizing(results: Results) -> list[list[str]]:
    """What so many users need, extrapolated."""
    hashes = table_of(results, "storm").get(storm.DEFAULT, storm.RATE)
    refreshes = table_of(results, "writes_postgresql").get(writes_targets.DEFAULTS, writes_targets.REFRESH)
    disk = list(table_of(results, "disk").rows.values())
    rows = [["users", "refreshes/s", "logins/s", "cores that hash", "processes that refresh", "on disk"], ["---"] * 6]
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
             f"{refreshing / refreshes:,.2f}", f"{stored:,.1f} GiB"]
        )  # fmt: skip
    return rows


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
