"""Filling tables in bulk, as they are after years: users, their sessions and mailed tokens, most of them long over."""

import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator

import asyncpg

CHUNK = 100_000
DAY = 86400
#: A key as UUIDs of version 7 are: in the order of time.
ID = "lpad(to_hex(i), 8, '0') || '-{kind}-7000-8000-' || lpad(to_hex(i % 65536), 12, '0')"
USERS = f"""
    INSERT INTO auth_users
    SELECT {ID.format(kind="0000")}, 'user' || i || '@example.com', 'user' || i || '@example.com', true, 'active',
        '["user"]', '{{}}', $3::bigint - 400 * {DAY}, $3::bigint - 400 * {DAY}, 0
    FROM generate_series($1::bigint, $2::bigint - 1) AS i
"""
CREDENTIALS = f"""
    INSERT INTO auth_credentials SELECT {ID.format(kind="0001")}, {ID.format(kind="0000")}, 'password',
        {ID.format(kind="0000")}, $4, '{{}}', 1, $3::bigint - 400 * {DAY}, $3::bigint - 400 * {DAY}
    FROM generate_series($1::bigint, $2::bigint - 1) AS i
"""
# One in ten was ended long ago, one in ten has expired and waits to be purged.
SESSIONS = f"""
    INSERT INTO auth_sessions SELECT {ID.format(kind="0002")},
        (SELECT {ID.format(kind="0000").replace("i", "u")} FROM (SELECT i * 7919 % $4::bigint AS u) AS one), 3,
        $3::bigint - 5 * {DAY}, $3::bigint - {DAY}, $3::bigint - {DAY},
        CASE WHEN i % 10 = 0 THEN $3::bigint - {DAY} ELSE $3::bigint + 20 * {DAY} END,
        CASE WHEN i % 10 = 1 THEN $3::bigint - {DAY} END, $3::bigint - 5 * {DAY}, '["pwd"]',
        'Mozilla/5.0 (X11; Linux x86_64)', '198.51.100.7'
    FROM generate_series($1::bigint, $2::bigint - 1) AS i
"""
TOKENS = f"""
    INSERT INTO auth_tokens SELECT {ID.format(kind="0003")}, 'verify_email', 'user' || i || '@example.com',
        (SELECT {ID.format(kind="0000").replace("i", "u")} FROM (SELECT i * 7919 % $4::bigint AS u) AS one),
        md5(i::text) || md5((i + 1)::text), md5(i::text), '{{}}', 0, i, $3::bigint - 5 * {DAY},
        CASE WHEN i % 10 = 0 THEN $3::bigint - {DAY} ELSE $3::bigint + {DAY} END, NULL
    FROM generate_series($1::bigint, $2::bigint - 1) AS i
"""
ENDED = """
    INSERT INTO auth_sessions (id, user_id, generation, created_at, last_used_at, rotated_at, expires_at, revoked_at,
        auth_time, amr, user_agent, address)
    SELECT 'ended' || i, NULL, 0, $2::bigint, $2::bigint, $2::bigint, $2::bigint + 99999,
        $2::bigint - i % 900, $2::bigint, '[]', '', '' FROM generate_series(1, $1::bigint) AS i
"""
ENDED_IN_SQLITE = """
    INSERT INTO auth_sessions (id, user_id, generation, created_at, last_used_at, rotated_at, expires_at, revoked_at,
        auth_time, amr, user_agent, address)
    VALUES (?1, NULL, 0, ?3, ?3, ?3, ?3 + 99999, ?2, ?3, '[]', '', '')
"""
#: The feed that other processes read.
CHANGES = """
    INSERT INTO auth_changes (session_id, at, expires_at)
    SELECT id, revoked_at, expires_at FROM auth_sessions WHERE id LIKE 'ended%'
"""


#: Sessions that are live.
LIVE = f"""
    INSERT INTO auth_sessions (id, user_id, generation, created_at, last_used_at, rotated_at, expires_at, auth_time,
        amr, user_agent, address)
    SELECT {ID.format(kind="0004")}, NULL, 0, $2::bigint, $2::bigint, $2::bigint, $2::bigint + 99999, $2::bigint, '[]',
        '', '' FROM generate_series(1, $1::bigint) AS i
"""
#: Ends of the last 10 minutes in their order, each told as one, of sessions that are not stored.
FEED = f"""
    INSERT INTO auth_changes (session_id, at, expires_at)
    SELECT {ID.format(kind="0005")}, $2::bigint - 600 + i * 600 / $1::bigint, $2::bigint + 99999
    FROM generate_series(1, $1::bigint) AS i
"""


async def fill(url: str, users: int, rows: int, hashed: str, seconds: float) -> int:
    """Add users with a credential each, and so many sessions and tokens; give the rows that the time allowed for."""
    async with _connected(url) as connection:
        now, end = int(time.time()), time.monotonic() + seconds
        for first in range(0, users, CHUNK):
            last = min(users, first + CHUNK)
            await connection.execute(USERS, first, last, now)
            await connection.execute(CREDENTIALS, first, last, now, hashed)
        done = 0
        async with without_indexes(connection):
            while done < rows and (time.monotonic() < end or not done):
                last = min(rows, done + CHUNK)
                for statement in (SESSIONS, TOKENS):
                    await connection.execute(statement, done, last, now, users)
                done = last
        await connection.execute("VACUUM ANALYZE")
    return done


@contextlib.asynccontextmanager
async def without_indexes(connection: "asyncpg.Connection") -> AsyncIterator[None]:
    """Fill tables without indexes and without looking at foreign keys, and make the indexes at the end."""
    rows = await connection.fetch("""
        SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('auth_sessions', 'auth_tokens')
        AND indexname NOT IN (SELECT conname FROM pg_constraint)
    """)
    await connection.execute("SET session_replication_role = replica; SET maintenance_work_mem = '512MB'")
    for row in rows:
        await connection.execute(f'DROP INDEX "{row["indexname"]}"')
    yield
    for row in rows:
        await connection.execute(row["indexdef"])


async def bytes_each(url: str, table: str, rows: int) -> float:
    """What a row of a table takes on disk, with its part of the indexes."""
    async with _connected(url) as connection:
        total: int = await connection.fetchval("SELECT pg_total_relation_size($1::regclass)", table)
    return total / rows


async def add_ended(url: str, count: int) -> None:
    """Add sessions that ended in the last 15 minutes, to PostgreSQL or SQLite."""
    now = int(time.time())
    if not url.startswith("sqlite"):
        async with _connected(url) as connection:
            await connection.execute(ENDED, count, now)
            await connection.execute(CHANGES)
        return
    rows = [(f"ended{i}", now - i % 900, now) for i in range(count)]
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as database, database:
        database.executemany(ENDED_IN_SQLITE, rows)
        database.execute(CHANGES)


async def add_live(url: str, count: int) -> None:
    """Add live sessions to PostgreSQL."""
    async with _connected(url) as connection:
        await connection.execute(LIVE, count, int(time.time()))


async def add_feed(url: str, count: int) -> None:
    """Add ends of sessions to the feed in PostgreSQL, in one transaction."""
    async with _connected(url) as connection:
        await connection.execute(FEED, count, int(time.time()))


@contextlib.asynccontextmanager
async def _connected(url: str) -> "AsyncIterator[asyncpg.Connection]":
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()
