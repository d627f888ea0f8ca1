"""Numbered migrations: all that are missing run in one transaction, in one process at a time."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asgi_auth.storage import field_columns, user_columns
from asgi_auth.storage.column import Column
from asgi_auth.storage.driver import Driver, SchemaError
from asgi_auth.storage.names import ALL_COLUMNS
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import schema

#: The comment above statements that create the users table or its indexes.
USERS_ONLY = "-- users\n"
#: The comment above statements for one database only, by dialect.
DIALECT_ONLY = {"postgresql": "-- postgresql\n", "sqlite": "-- sqlite\n"}


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
        for statement in statements_of(text, storage):
            await storage.run(statement, {})
        await storage.run(schema.ADD_MIGRATION, {"version": number, "now": now})
    if still_missing:
        await add_installation(storage, now)
    return [number for number, _ in still_missing]


async def add_installation(storage: Runner, now: int) -> None:
    """Give the tables an id, unless they have one."""
    await storage.run(schema.ADD_INSTALLATION, {"id": secrets.token_hex(16), "now": now})


async def fit(storage: Runner) -> None:
    """Check the encoding of the database, and adapt to the columns of a users table of the host. Raises SchemaError."""
    names, dialect = storage.names, storage.dialect
    if dialect == "postgresql":
        [row] = await storage.run(schema.ENCODING, {}, read=True)
        if row["encoding"] != "UTF8":
            raise SchemaError(
                f"the encoding of the database is {row['encoding']}, and must be UTF8: "
                "create another one with ENCODING 'UTF8' TEMPLATE template0"
            )
    if not names.own_users_table:
        return
    rows = await storage.run(schema.COLUMNS[dialect], {"table": storage.users_table}, read=True)
    own = {names.user_columns.get(name, name) for name in ALL_COLUMNS}
    own |= {field.column for field in storage.fields if field.column}
    # SQLite ignores the case of names.
    spelling = {name.lower(): name for name in own} if dialect == "sqlite" else {}
    columns = [
        Column(**{**row, "name": spelling.get(row["name"].lower(), row["name"])}) for row in map(dict[str, Any], rows)
    ]
    if found := user_columns.problems(names, dialect, columns, storage.fields):
        raise SchemaError(f"the users table does not fit: {'; '.join(found)}")
    [key] = [column for column in columns if column.name == names.user_columns.get("id", "id")]
    id_type = user_columns.key_type(dialect, key)
    if names.id_type not in {None, id_type}:
        raise SchemaError(f"{key.name} is {key.type}, and id_type is {names.id_type}: set id_type={id_type!r}")
    storage.filled_fields = field_columns.filled(storage.fields, columns)
    storage.notes_logins = user_columns.notes_logins(names, columns)
    storage.adapt(id_type, user_columns.parts(names, dialect, columns, storage.fields))


async def check(storage: Runner) -> None:
    """Check that addresses are unique in a users table of the host. Raises SchemaError."""
    if not storage.names.own_users_table:
        return
    try:
        await storage.run(schema.CHECK_USERS, {}, read=True)
    except SchemaError as error:
        raise SchemaError(f"{error}: create a unique index of the column email_canonical") from error


def migrations() -> list[tuple[int, str]]:
    """Read all migrations, in order: number and SQL text."""
    files = sorted(Path(__file__).with_name("migrations").glob("*.sql"))
    return [(int(file.stem), file.read_text("utf-8")) for file in files]


def statements_of(text: str, storage: Runner) -> Iterator[str]:
    """Yield the statements of a migration, without those for another database or for a users table of the host."""
    for statement in text.split(";\n"):
        if statement.strip() and not _is_left_out(statement, storage):
            yield statement


def _is_left_out(statement: str, storage: Runner) -> bool:
    text = statement.lstrip()
    others = [comment for dialect, comment in DIALECT_ONLY.items() if dialect != storage.dialect]
    return text.startswith(tuple(others)) or (storage.names.own_users_table and text.startswith(USERS_ONLY))
