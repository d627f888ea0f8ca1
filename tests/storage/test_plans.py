"""Every statement finds its rows by an index, however many there are: read from the databases' own plans."""

import inspect
import json
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import pytest

from asgi_auth.storage.postgres_connection import numbered
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.statements import audit, counters, credentials, feed, sessions, tokens, users
from tests.storage.conftest import opened

#: The modules of statements; those of `schema` run once at start, or are about no rows.
MODULES = (audit, counters, credentials, feed, sessions, tokens, users)
#: What a statement has made itself: values, and subqueries of them.
IN_MEMORY = ("SCAN CONSTANT ROW", "SCAN subject", "SCAN entry", "SCAN json_each", "SCAN r", "SCAN (")
VERBS = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}
#: The connections of a storage that run queries.
READERS = 2
VALUES = {"text": "x", "varchar": "x", "int8": 1, "int4": 1, "bool": False, "numeric": 1, "float8": 1.0}
#: Values that are no plain texts: those of a position in the feed.
POSITION = {"open": "5,6", "last": "5", "seen": "7", "ids": "[1]", "numbers": "1"}


def every_statement() -> dict[str, str]:
    """All statements by name; those that are made for a number of keys, for three."""
    members = [(name, value) for module in MODULES for name, value in vars(module).items()]
    texts = {name: value for name, value in members if name.isupper() and isinstance(value, str)}
    # Others are parts of statements.
    found = {name: value for name, value in texts.items() if value.split()[0] in VERBS}
    made = {
        name: value(3)
        for name, value in members
        if callable(value) and inspect.unwrap(value).__module__ == counters.__name__
    }
    return found | made


STATEMENTS = every_statement()


def by_dialect(dialect: str) -> dict[str, str]:
    """All statements of a dialect, with those that the dialects spell differently."""
    members = [(name, value) for module in MODULES for name, value in vars(module).items()]
    differing = {name: value for name, value in members if name.isupper() and isinstance(value, dict)}
    return STATEMENTS | {
        name: value[dialect]
        for name, value in differing.items()
        if dialect in value and value[dialect].split()[0] in VERBS
    }


@pytest.mark.parametrize("server", ["postgres15", "postgres18"])
async def test_every_statement_has_an_index_on_postgresql(server: str, fresh: Callable[[str], str]) -> None:
    async with opened(server, fresh(server)) as storage:
        assert await without_on_postgresql(storage, fresh(server)) == []

    assert len(STATEMENTS) > 40


async def test_every_statement_has_an_index_on_sqlite(fresh: Callable[[str], str]) -> None:
    async with opened("sqlite", fresh("sqlite")) as storage:
        assert await without_on_sqlite(storage) == []


@pytest.mark.parametrize(
    ("index", "needs_it"),
    [
        ("changes_expires", ["PURGE_CHANGES"]),
        ("sessions_expires", ["PURGE_SESSIONS"]),
        ("audit_at", ["PRUNE_AUDIT_RECORDS"]),
    ],
)
async def test_a_missing_index_is_noticed(index: str, needs_it: list[str], fresh: Callable[[str], str]) -> None:
    async with opened("postgres18", fresh("postgres18")) as storage:
        await storage.run(f"DROP INDEX {{{index}}}", {})
        assert await without_on_postgresql(storage, fresh("postgres18")) == needs_it

    async with opened("sqlite", fresh("sqlite")) as storage:
        await storage.run(f"DROP INDEX {{{index}}}", {})
        assert await without_on_sqlite(storage) == needs_it


async def without_on_postgresql(storage: SQLStorage, url: str) -> list[str]:
    """The statements that would read a whole table or index, even where the planner is told to avoid it."""
    found = []
    connection = await asyncpg.connect(url)
    await connection.execute("SET enable_seqscan = off")
    for name, statement in by_dialect("postgresql").items():
        sql, names = numbered(statement.format_map(storage._parts))
        prepared = await connection.prepare(f"EXPLAIN (FORMAT JSON) {sql}")
        types = [VALUES[parameter.name] for parameter in prepared.get_parameters()]
        values = [POSITION.get(each, value) for each, value in zip(names, types, strict=True)]
        (plan,) = json.loads(await prepared.fetchval(*values))
        found += [name] if any(is_whole(node) for node in nodes(plan["Plan"])) else []
    await connection.close()
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes."""
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def is_whole(node: dict[str, Any]) -> bool:
    """Whether a node reads a whole table, or a whole index."""
    by_index = node["Node Type"] in {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}
    return node["Node Type"] == "Seq Scan" or (by_index and "Index Cond" not in node)


async def without_on_sqlite(storage: SQLStorage) -> list[str]:
    """The statements that scan a table or an index of ours."""
    found = []
    for _ in range(READERS):
        # EXPLAIN does not notice that another connection has changed the tables.
        await storage.run("SELECT COUNT(*) FROM {sessions}", {}, read=True)
    for name, statement in by_dialect("sqlite").items():
        _, names = numbered(statement.format_map(storage._parts))
        rows = await storage.run(f"EXPLAIN QUERY PLAN {statement}", dict.fromkeys(names, "1"), read=True)
        scans = [row["detail"] for row in rows if row["detail"].startswith("SCAN ")]
        found += [name] if any(not scan.startswith(IN_MEMORY) for scan in scans) else []
    return found
