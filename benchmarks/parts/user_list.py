"""The list of users: whether a late page takes as long as the first one, and how many rows each of them reads."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeAlias

from asgi_auth import Auth
from asgi_auth.accounts.user_lists import UserPage
from asgi_auth.feature import User, new_id
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.statements import users as statements
from benchmarks.contenders.base import SECRET
from benchmarks.harness import Collected, Run, folder, postgres
from benchmarks.records import Part, Table, Target, at_most

Page: TypeAlias = Callable[[str | None], Awaitable[UserPage]]
PAGE, BATCH, CALLS = 50, 500, 20
NOW = 1_700_000_000
DATABASES = ("SQLite", "PostgreSQL")
#: What is listed: all users, those whose address begins with a text that all have, and those with a common role.
LISTS = ("all, the newest first", "by the beginning of the address", "of a role that half of the users have")
FIRST, LATE, RATIO, ROWS = "first page, ms", "late page, ms", "late / first", "rows that a late page reads"


async def measure(run: Run) -> None:
    """Fill each database, and measure the first and a late page by turns."""
    count = run.size.listed
    table = Table(
        "user_list",
        "Pages of the list of users",
        f"{count:,} users, pages of {PAGE} by `auth.users`; the late page begins after 90 % of the list; median of "
        f"{CALLS} calls in a round, by turns; the rows that a page reads are those of EXPLAIN ANALYZE, in PostgreSQL",
        "milliseconds",
    )
    run.part.tables.append(table)
    with folder() as path, postgres() as server:
        urls = {"SQLite": f"sqlite:///{path}/users.db", "PostgreSQL": server.database()}
        for database, url in urls.items():
            async with Auth(url, secret=SECRET) as auth:
                await fill(auth, count)
                await _measure(run, table, database, auth)


async def fill(auth: Auth, count: int) -> None:
    """Add users, ten in each second."""
    for first in range(0, count, BATCH):
        batch = [_user(number) for number in range(first, min(count, first + BATCH))]
        await auth.storage.add_users([(user, []) for user in batch])


def _user(number: int) -> User:
    email, at = f"user{number * 7919 % 1_000_003:07}@example.com", NOW + number // 10
    roles = ("editor",) if number % 2 else ()
    return User(id=new_id(at), email=email, email_canonical=email, created_at=at, updated_at=at, roles=roles)


async def _measure(run: Run, table: Table, database: str, auth: Auth) -> None:
    users = auth.users
    pages: dict[str, Page] = {
        LISTS[0]: lambda after: users.list(after=after, limit=PAGE, newest=True),
        LISTS[1]: lambda after: users.search("user", after=after, limit=PAGE),
        LISTS[2]: lambda after: users.list(role="editor", after=after, limit=PAGE, newest=True),
    }
    for name, page in pages.items():
        kept = Collected(run, table, f"{database}, {name}")
        late = await _late(page, run.size.listed * (0.45 if name == LISTS[2] else 0.9))
        for _ in range(run.size.rounds):
            first, last = await _turn(page, late)
            kept.add(FIRST, 1000 * first)
            kept.add(LATE, 1000 * last)
            kept.add(RATIO, last / first)
            run.save()
        if database == "PostgreSQL":
            kept.add(ROWS, await rows_read(auth, page, late))


async def _late(page: Page, wanted: float) -> str | None:
    """Return where the page begins that follows so many users."""
    after, seen = None, 0
    async for found in _walk(page):
        after, seen = found.next, seen + len(found.users)
        if seen >= wanted or after is None:
            break
    return after


async def _walk(page: Page) -> AsyncIterator[UserPage]:
    after: str | None = None
    while True:
        found = await page(after)
        yield found
        after = found.next
        if after is None:
            return


async def _turn(page: Page, late: str | None) -> tuple[float, float]:
    """Return the median seconds of a first and of a late page."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(CALLS):
        for kept, after in zip(seconds, (None, late), strict=True):
            started = time.perf_counter()
            await page(after)
            kept.append(time.perf_counter() - started)
    first, last = (sorted(kept)[CALLS // 2] for kept in seconds)
    return first, last


async def rows_read(auth: Auth, page: Page, after: str | None) -> int:
    """Return the rows that the statement of a page reads, those that its filter drops included."""
    storage = auth.storage
    assert isinstance(storage, SQLStorage)
    asked: list[tuple[str, Any]] = []
    run = storage.run

    async def noted(statement: str, values: Any, **options: Any) -> Any:
        asked.append((statement, values))
        return await run(statement, values, **options)

    storage.run = noted  # type: ignore[method-assign]  # only here
    try:
        await page(after)
    finally:
        del storage.run
    [(statement, values)] = [each for each in asked if each[0] in vars(statements).values()]
    [row] = await run(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values, read=True)
    [plan] = json.loads(row["QUERY PLAN"])
    return int(sum(_rows(plan["Plan"])))


def _rows(plan: dict[str, Any]) -> Iterator[float]:
    """Yield the rows that the scans of a plan have read."""
    if "Relation Name" in plan:
        yield plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    for inner in plan.get("Plans", ()):
        yield from _rows(inner)


def targets(part: Part) -> list[Target]:
    """A late page takes at most three times as long as the first one."""
    table = part.tables[0]
    return [
        at_most(
            f"a late page of users, {name}, {database}",
            "≤ 3 × the first",
            3,
            table.get(f"{database}, {name}", RATIO),
        )
        for database in DATABASES
        for name in LISTS
    ]
