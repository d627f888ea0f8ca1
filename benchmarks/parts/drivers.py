"""The storage by driver: a SELECT by key, a rotation, and a transaction."""

import asyncio
import time
from functools import partial

from databases import Database

from asgi_auth.model.records import Credential, Session, User
from asgi_auth.storage.databases import Databases
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.sqlite import SQLite
from benchmarks.harness import Collected, Run, folder, postgres
from benchmarks.records import Table

TASKS = 32
OPERATIONS = ("select", "rotation", "transaction")
NOW = 1_800_000_000
SLOW = 0.1


async def measure(run: Run) -> None:
    """Let the drivers take turns."""
    table = Table(
        "drivers",
        "Storage by driver",
        f"{run.size.writes} of each in a round, {TASKS} tasks, {TASKS} sessions; SELECT by key; rotation: compare and "
        "swap, durable when it returns; transaction: BEGIN, the same, a SELECT, COMMIT. SQLite: synchronous=FULL; "
        "PostgreSQL with fsync off, as in the tests. databases.Database does a tenth as many",
        "per second",
        lower=False,
        chart="rotation",
    )
    run.part.tables.append(table)
    with folder() as path, postgres() as server:
        storages: dict[str, SQLStorage] = {
            "asgi_auth, PostgreSQL by asyncpg": Postgres(server.database()),
            "asgi_auth, SQLite file": SQLite(path / "file.db"),
            "asgi_auth, SQLite in memory": SQLite(),
            "databases.Database, PostgreSQL": Databases(Database(server.database())),
            "databases.Database, SQLite file": Databases(Database(f"sqlite:///{path}/databases.db")),
        }
        for storage in storages.values():
            await _prepare(storage)
        await run.rounds({name: partial(_turn, run, name, storage, table) for name, storage in storages.items()})
        for storage in storages.values():
            await storage.close()


async def _prepare(storage: SQLStorage) -> None:
    """Make the tables, a user, and a session for each task."""
    await storage.open()
    await storage.migrate(NOW)
    email = "a@example.com"
    user = User(id="user", email=email, email_canonical=email, created_at=NOW, updated_at=NOW)
    credential = Credential(
        id="c", user_id="user", kind="password", identifier="user", secret="", created_at=NOW, updated_at=NOW
    )
    await storage.add_user(user, credential)
    for number in range(TASKS):
        session = Session(
            id=f"session{number}", user_id="user", created_at=NOW, last_used_at=NOW, rotated_at=NOW,
            expires_at=NOW + 9999, auth_time=NOW,
        )  # fmt: skip
        await storage.add_session(session, credential, 2 * TASKS)


async def _turn(run: Run, name: str, storage: SQLStorage, table: Table) -> None:
    kept = Collected(run, table, name)
    count = max(1, int(run.size.writes * (SLOW if name.startswith("databases") else 1)) // TASKS)
    for operation in OPERATIONS:
        started = time.perf_counter()
        await asyncio.gather(*[_task(storage, operation, f"session{number}", count) for number in range(TASKS)])
        kept.add(operation, TASKS * count / (time.perf_counter() - started))
    run.save()


async def _task(storage: SQLStorage, operation: str, session_id: str, count: int) -> None:
    """Do one session's share."""
    session = await storage.session(session_id)
    assert session is not None
    for generation in range(session.generation, session.generation + count):
        if operation == "select":
            await storage.session(session_id)
        elif operation == "rotation":
            await _rotate(storage, session_id, generation)
        else:
            async with storage.transaction() as inside:
                await _rotate(inside, session_id, generation)
                await inside.session(session_id)


async def _rotate(storage: SQLStorage, session_id: str, generation: int) -> None:
    if await storage.rotate_session(session_id, generation, now=NOW, idle_since=0) is None:
        raise RuntimeError("the rotation missed")
