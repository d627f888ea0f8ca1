"""Numbered migrations: all that are missing run in one transaction, in one process at a time."""

from pathlib import Path

from asgi_auth.storage.driver import Driver
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import schema

#: The comment above statements that create the users table or its indexes.
USERS_ONLY = "-- users\n"


async def migrate(storage: Runner, driver: Driver, now: int) -> list[int]:
    """Run the missing migrations in the transaction of `storage`, and return their numbers."""
    connection = storage.connection
    # One key for all prefixes: they may share a schema, and concurrent `CREATE SCHEMA` fails in PostgreSQL.
    await driver.lock_migrations(connection, "asgi_auth")
    if storage.names.schema and not await storage.run(schema.SCHEMA, {"name": storage.names.schema}):
        await storage.run(schema.CREATE_SCHEMA, {})
    await storage.run(schema.CREATE_MIGRATIONS, {})
    done = {row["version"] for row in await storage.run(schema.MIGRATIONS, {})}
    missing = [(number, text) for number, text in migrations() if number not in done]
    for number, text in missing:
        for statement in text.split(";\n"):
            if statement.strip() and not _is_left_out(statement, own_users_table=storage.names.own_users_table):
                await storage.run(statement, {})
        await storage.run(schema.ADD_MIGRATION, {"version": number, "now": now})
    await storage.run(schema.CHECK_USERS, {})
    return [number for number, _ in missing]


def migrations() -> list[tuple[int, str]]:
    """Read all migrations, in order: number and SQL text."""
    files = sorted(Path(__file__).with_name("migrations").glob("*.sql"))
    return [(int(file.stem), file.read_text("utf-8")) for file in files]


def _is_left_out(statement: str, *, own_users_table: bool) -> bool:
    return own_users_table and statement.lstrip().startswith(USERS_ONLY)
