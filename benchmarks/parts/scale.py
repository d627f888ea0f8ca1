"""How costs grow with the tables: the same work with few users and with many, on PostgreSQL."""

import random
import time
from collections.abc import Awaitable, Callable
from functools import partial

import argon2

from asgi_auth.sessions.revocation import Revocation
from benchmarks.bulk import bytes_each, fill
from benchmarks.contenders import base
from benchmarks.contenders.calls import checked
from benchmarks.contenders.ours import Ours
from benchmarks.harness import Collected, Run, postgres
from benchmarks.records import Part, Table, Target, at_most, ratio
from tests.postgres import Server

COLUMNS = ("login", "refresh", "session list", "purge of 100", "revocations at start")
SHARE = 10


async def measure(run: Run) -> None:
    """Fill a database for each size, then do the same on all by turns."""
    table = Table(
        "scale",
        "What grows with the number of users",
        "one after the other, in process, PostgreSQL (fsync off as in the tests), random users, argon2 at its minimum; "
        "one session in 10 has expired, one in 10 was ended long ago",
        "ms",
    )
    disk = Table("disk", "What a row takes on disk", "PostgreSQL, with its part of the indexes", "bytes")
    run.part.tables += [table, disk]
    with postgres() as server:
        turns = {}
        for users in run.size.scales:
            row, made = await _filled(run, server, users, disk)
            table.baseline = table.baseline or row
            turns[row] = partial(_turn, run, made, users, Collected(run, table, row))
        await run.rounds(turns)


async def _filled(run: Run, server: Server, users: int, disk: Table) -> tuple[str, Ours]:
    """Make the tables and fill them; name the row after what the time allowed for."""
    url = server.database()
    made = Ours(base.Options(url, users, seed=False))
    await made.open()
    hashed = argon2.PasswordHasher(1, 8, 1).hash(base.PASSWORD)
    rows = run.size.rows * users // run.size.scales[-1]
    done = await fill(url, users, rows, hashed, run.left() * 0.7)
    row = f"{users:,} users, {done:,} sessions, {done:,} tokens"
    for table, count in {"users": users, "credentials": users, "sessions": done, "tokens": done}.items():
        disk.add(row, table, [await bytes_each(url, f"auth_{table}", count)])
    return row, made


async def _turn(run: Run, made: Ours, users: int, kept: Collected) -> None:
    """Do each kind of work some times, warmed up by one."""
    count = max(2, run.size.writes // SHARE)
    answers: list[bytes] = []

    async def login() -> None:
        number = random.randrange(users)
        answers.append(await checked(made.app, made.login(number)))

    async def refresh() -> None:
        number = random.randrange(len(answers))
        answers[number] = await checked(made.app, made.refresh(answers[number], 1))

    async def sessions() -> None:
        token = base.parsed(random.choice(answers))["access_token"]
        await checked(made.app, base.Request("GET", "/auth/sessions", base.bearer(token)))

    async def purge() -> None:
        await made.auth.storage.purge(int(time.time()), 100)

    async def start() -> None:
        await Revocation(made.auth.storage, made.auth.settings, time.time).sync()

    works = zip(COLUMNS, (login, refresh, sessions, purge, start), (count, count, count, 1, 5), strict=True)
    for column, work, times in works:
        kept.add(column, await _timed(work, times, warm=column != COLUMNS[3]))
    run.save()


async def _timed(work: Callable[[], Awaitable[None]], times: int, *, warm: bool) -> float:
    """Milliseconds for one."""
    if warm:
        await work()
    started = time.perf_counter()
    for _ in range(times):
        await work()
    return (time.perf_counter() - started) / times * 1000


def targets(part: Part) -> list[Target]:
    """Flat within one and a half."""
    table, _ = part.tables
    rows = list(table.rows)
    found = []
    for column in COLUMNS:
        growth = ratio(table.get(rows[-1], column), table.get(rows[0], column)) if len(rows) > 1 else None
        found.append(at_most(f"{column} with most users, of that with fewest", "≤ 1.5 ×", 1.5, growth))
    return found
