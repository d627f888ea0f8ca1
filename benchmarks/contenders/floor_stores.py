"""The stores of the floors: asyncpg with one statement or one transaction, and SQLite written by one thread."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

import asyncpg

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS floor_users (id TEXT PRIMARY KEY, email TEXT UNIQUE, hash TEXT)",
    """CREATE TABLE IF NOT EXISTS floor_sessions
        (id TEXT PRIMARY KEY, user_id TEXT, generation BIGINT, used_at BIGINT, created_at BIGINT)""",
    "CREATE INDEX IF NOT EXISTS floor_sessions_user ON floor_sessions (user_id)",
)
USER = "SELECT id, hash FROM floor_users WHERE email = $1"
ADD = "INSERT INTO floor_sessions (id, user_id, generation, used_at, created_at) VALUES ($1, $2, 0, $3, $3)"
ROTATE = (
    "UPDATE floor_sessions SET generation = generation + 1, used_at = $3 WHERE id = $1 AND generation = $2"
    " RETURNING user_id"
)
LOCK_USER = "SELECT id FROM floor_users WHERE id = $1 FOR UPDATE"
LOCK_SESSION = "SELECT generation FROM floor_sessions WHERE id = $1 FOR UPDATE"
MOST = 64


class Store(Protocol):
    """Where users and sessions are."""

    async def open(self, hashed: str, users: list[tuple[str, str]]) -> None:
        """Make the tables and these users."""

    async def close(self) -> None:
        """Close."""

    async def user(self, email: str) -> tuple[str, str]:
        """Id and hash."""

    async def add_session(self, session_id: str, user_id: str, now: int) -> None:
        """Add one."""

    async def rotate(self, session_id: str, generation: int, now: int) -> str:
        """Go to the next generation; give the user."""


class OneStatement:
    """PostgreSQL: each write is a statement that commits itself."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.pool: Any = None

    async def open(self, hashed: str, users: list[tuple[str, str]]) -> None:
        """Make the tables and these users."""
        self.pool = await asyncpg.create_pool(self.database, min_size=0, max_size=10, reset=leave)
        if users:
            for statement in SCHEMA:
                await self.pool.execute(statement)
            rows = [(*user, hashed) for user in users]
            await self.pool.executemany("INSERT INTO floor_users VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", rows)

    async def close(self) -> None:
        """Close."""
        await self.pool.close()

    async def user(self, email: str) -> tuple[str, str]:
        """Id and hash."""
        row = await self.pool.fetchrow(USER, email)
        return row[0], row[1]

    async def add_session(self, session_id: str, user_id: str, now: int) -> None:
        """Add one."""
        await self.pool.execute(ADD, session_id, user_id, now)

    async def rotate(self, session_id: str, generation: int, now: int) -> str:
        """Go to the next generation."""
        user_id: str = await self.pool.fetchval(ROTATE, session_id, generation, now)
        return user_id


class OneTransaction(OneStatement):
    """PostgreSQL: BEGIN, a row is locked and looked at, the write, COMMIT."""

    async def add_session(self, session_id: str, user_id: str, now: int) -> None:
        """Add one, the user being locked."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.fetchval(LOCK_USER, user_id)
            await connection.execute(ADD, session_id, user_id, now)

    async def rotate(self, session_id: str, generation: int, now: int) -> str:
        """Go to the next generation, the session being locked."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.fetchval(LOCK_SESSION, session_id)
            user_id: str = await connection.fetchval(ROTATE, session_id, generation, now)
            return user_id


class WriterThread:
    """SQLite, synchronous=FULL: one thread writes; up to `most` that wait share a COMMIT. Reads stay on the loop."""

    def __init__(self, database: str, most: int = 1) -> None:
        self.path = database.removeprefix("sqlite:///")
        self.most = most
        self.waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()

    async def open(self, hashed: str, users: list[tuple[str, str]]) -> None:
        """Make the tables and these users."""
        self.reader, self.writer = self._connect(), self._connect()
        self.loop = asyncio.get_running_loop()
        for statement in SCHEMA:
            self.writer.execute(statement)
        rows = [(*user, hashed) for user in users]
        self.writer.execute("BEGIN IMMEDIATE")
        self.writer.executemany("INSERT OR IGNORE INTO floor_users VALUES (?, ?, ?)", rows)
        self.writer.execute("COMMIT")
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    async def close(self) -> None:
        """End the thread."""
        self.waiting.put(None)
        await asyncio.to_thread(self.thread.join)

    async def user(self, email: str) -> tuple[str, str]:
        """Id and hash."""
        found: tuple[str, str] = self.reader.execute(USER.replace("$1", "?1"), (email,)).fetchone()
        return found

    async def add_session(self, session_id: str, user_id: str, now: int) -> None:
        """Add one."""
        await self._run(ADD, session_id, user_id, now)

    async def rotate(self, session_id: str, generation: int, now: int) -> str:
        """Go to the next generation."""
        user_id: str = (await self._run(ROTATE, session_id, generation, now))[0][0]
        return user_id

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=10)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    async def _run(self, sql: str, *values: object) -> Any:
        answer = self.loop.create_future()
        self.waiting.put((sql.replace("$", "?"), values, answer))
        return await answer

    def _write(self) -> None:
        while (first := self.waiting.get()) is not None:
            taken = [first]
            with suppress(queue.Empty):
                while len(taken) < self.most:
                    taken.append(self.waiting.get_nowait())
            self.writer.execute("BEGIN IMMEDIATE")
            rows = [self.writer.execute(sql, values).fetchall() for sql, values, _ in taken]
            self.writer.execute("COMMIT")
            self.loop.call_soon_threadsafe(_settle, taken, rows)


def _settle(taken: list[Any], rows: list[Any]) -> None:
    for (_, _, answer), result in zip(taken, rows, strict=True):
        answer.set_result(result)


async def leave(_: object) -> None:
    """Reset nothing: nothing was left behind."""


STORES: dict[str, Callable[[str], Store]] = {
    "one statement": OneStatement,
    "one transaction": OneTransaction,
    "writer thread": WriterThread,
    "group commit": lambda database: WriterThread(database, MOST),
}
