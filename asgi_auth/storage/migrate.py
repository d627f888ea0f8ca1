"""Numbered migrations: all that are missing run in one transaction, in one process at a time."""

import secrets
from pathlib import Path

from asgi_auth.storage.driver import Driver, SchemaError
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import schema

#: The comment above statements that create the users table or its indexes.
USERS_ONLY = "-- users\n"


async def missing(storage: Runner) -> list[tuple[int, str]]:
    """Return the migrations that have not run. Reads only, outside of a transaction."""
    try:
        done = {row["version"] for row in await storage.run(schema.MIGRATIONS, {}, read=True)}
    except SchemaError:
        done = set()
    return [(number, text) for number, text in migrations() if number not in done]


async def migrate(storage: Runner, driver: Driver, now: int) -> list[int]:
    """Run the missing migrations in the transaction of `storage`, and return their numbers."""
    connection = storage.connection
    # One key for all prefixes: they may share a schema, and concurrent `CREATE SCHEMA` fails in PostgreSQL.
    await driver.lock_migrations(connection, "asgi_auth")
    if storage.names.schema and not await storage.run(schema.SCHEMA, {"name": storage.names.schema}):
        await storage.run(schema.CREATE_SCHEMA, {})
    await storage.run(schema.CREATE_MIGRATIONS, {})
    # Another process may have run them while this one waited for the lock.
    still_missing = await missing(storage)
    for number, text in still_missing:
        for statement in text.split(";\n"):
            if statement.strip() and not _is_left_out(statement, own_users_table=storage.names.own_users_table):
                await storage.run(statement, {})
        await storage.run(schema.ADD_MIGRATION, {"version": number, "now": now})
    if still_missing:
        await add_installation(storage, now)
    return [number for number, _ in still_missing]


async def add_installation(storage: Runner, now: int) -> None:
    """Give the tables an id, unless they have one."""
    await storage.run(schema.ADD_INSTALLATION, {"id": secrets.token_hex(16), "now": now})


async def check(storage: Runner) -> None:
    """Check a users table of the host. Raises SchemaError."""
    if storage.names.own_users_table:
        await storage.run(schema.CHECK_USERS, {}, read=True)


def migrations() -> list[tuple[int, str]]:
    """Read all migrations, in order: number and SQL text."""
    files = sorted(Path(__file__).with_name("migrations").glob("*.sql"))
    return [(int(file.stem), file.read_text("utf-8")) for file in files]


def _is_left_out(statement: str, *, own_users_table: bool) -> bool:
    return own_users_table and statement.lstrip().startswith(USERS_ONLY)
