"""The migrations as a text of SQL, for those who let only an administrator of the database change tables."""

from collections.abc import Iterator
from copy import copy
from textwrap import dedent

from asgi_auth.storage import triggers
from asgi_auth.storage.migrate import migrations, statements_of
from asgi_auth.storage.partitions import statement
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import schema

#: The current time in whole seconds since 1970, by dialect.
NOW = {
    "postgresql": "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)",
    "sqlite": "CAST(strftime('%s', 'now') AS INTEGER)",
}


def script(storage: Runner, after: int, partitions: int = 0) -> str:
    """Return the migrations with numbers above `after`, in one transaction, as they run on the storage's database.

    On PostgreSQL without a schema in the names, the tables belong into the schema `public`.
    """
    home = storage.names.parts_in(storage.names.schema or "public") if storage.dialect == "postgresql" else {}
    inner = copy(storage)
    inner.adapt(inner.id_type, home)
    statements = (f"{dedent(text).strip()};" for text in _statements(inner, after, partitions))
    return "\n\n".join(["BEGIN;", *statements, "COMMIT;\n"])


def _statements(storage: Runner, after: int, partitions: int) -> Iterator[str]:
    if storage.names.schema:
        yield storage.rendered(schema.CREATE_SCHEMA).replace("SCHEMA", "SCHEMA IF NOT EXISTS")
    if storage.dialect == "postgresql":
        yield f"SET LOCAL search_path TO {storage.rendered('{home}')}"
    yield storage.rendered(schema.CREATE_MIGRATIONS)
    for number, text in migrations():
        if number > after:
            yield from map(storage.rendered, statements_of(text, storage))
            values = {":version": str(number), ":now": NOW[storage.dialect]}
            added = storage.rendered(schema.ADD_MIGRATION)
            for name, value in values.items():
                added = added.replace(name, value)
            yield added
    if not after or storage.dialect == "sqlite":
        # In SQLite, these are left out where they are there.
        yield from map(storage.rendered, triggers.statements_of(storage))
    if partitions:
        yield storage.rendered(statement(storage, partitions))
