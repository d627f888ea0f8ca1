"""Partitions by hash: new and old tables get them and keep all that they had; a hot statement touches one."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from asgi_auth.command.main import main
from asgi_auth.storage.names import Names
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.postgres_connection import numbered
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.storage.statements import counters, sessions
from asgi_auth.testing.records import NOW, a_session, added
from tests.storage.conftest import SERVERS, Servers
from tests.storage.test_plans import VALUES, nodes
from tests.support import SECRET

Fresh = Callable[[str], str]
#: The statements of requests, refreshes and limits that read or change rows, with the parts that each may touch.
HOT = {
    "SESSION": sessions.SESSION,
    "ACCESS": sessions.ACCESS,
    "ROTATE_SESSION": sessions.ROTATE_SESSION,
    "RAISE_SESSION": sessions.RAISE_SESSION,
    "USE_GENERATION": sessions.USE_GENERATION,
    "SESSION_TO_CHANGE": sessions.SESSION_TO_CHANGE,
    "RENEW_SESSION": sessions.RENEW_SESSION,
    "COUNTER": counters.COUNTER,
    "CLEAR_COUNTER": counters.CLEAR_COUNTER,
    "OTHER_GUESS": counters.OTHER_GUESS,
}
INDEXES = "SELECT indexname AS name, indexdef AS text FROM pg_indexes WHERE tablename = ANY (:tables)"
CONSTRAINTS = """
    SELECT conname AS name, contype AS kind, pg_get_constraintdef(oid) AS text FROM pg_constraint
    WHERE conrelid = CAST('{sessions}' AS regclass) AND contype <> 'n'
"""
GRANTS = "SELECT relname AS name, CAST(relacl AS TEXT) AS text FROM pg_class WHERE relname = ANY (:tables)"
TABLES = {"tables": ["auth_sessions", "auth_counters", "auth_audit"]}


async def everything(storage: Postgres) -> list[dict[str, Any]]:
    """What tables have besides rows."""
    statements: list[tuple[str, dict[str, Any]]] = [(INDEXES, TABLES), (CONSTRAINTS, {}), (GRANTS, TABLES)]
    rows = [row for statement, values in statements for row in await storage.run(statement, values)]
    found = [dict(row) | {"text": str(row["text"]).replace(" ON ONLY ", " ON ")} for row in rows]
    return sorted(found, key=str)


@pytest.mark.parametrize("server", SERVERS)
async def test_old_tables_are_partitioned_with_their_rows_and_all_that_they_have(
    server: str, servers: Servers, fresh: Fresh
) -> None:
    storage = Postgres(fresh(server), timeout=30)
    await storage.migrate(NOW)
    role = "reader_of_partitions"
    servers.get(server).sql(f"drop role if exists {role}", fresh(server))
    servers.get(server).sql(f"create role {role}; grant select, insert on auth_sessions to {role}", fresh(server))
    user, credential = await added(storage)
    for number in range(20):
        await storage.add_session(a_session(user, number), credential, 99)
        await storage.count(f"key-{number}", NOW, 60)
    before = await everything(storage)

    assert await storage.partition(4) == ["auth_audit", "auth_counters", "auth_sessions"]

    assert await everything(storage) == before
    assert await storage.partition(8) == []
    for number in range(20):
        assert await storage.session(f"session-{number}") == a_session(user, number)
        assert (await storage.count(f"key-{number}", NOW, 60)).count == 2
    used = [await storage.run(f"SELECT COUNT(*) AS n FROM auth_sessions_p{part}", {}) for part in range(4)]
    assert sum(row["n"] for [row] in used) == 20
    assert min(row["n"] for [row] in used) < 20
    await storage.close()
    servers.get(server).sql(f"drop owned by {role}; drop role {role}", fresh(server))


@pytest.mark.parametrize("server", SERVERS)
async def test_each_hot_statement_touches_one_partition(server: str, fresh: Fresh) -> None:
    storage = Postgres(fresh(server), timeout=30)
    await storage.migrate(NOW)
    await storage.partition(8)
    connection = await asyncpg.connect(fresh(server))
    for name, statement in HOT.items():
        sql, _ = numbered(storage.rendered(statement))
        parameters = (await connection.prepare(sql)).get_parameters()
        values = ", ".join("'x'" if VALUES[each.name] == "x" else str(VALUES[each.name]) for each in parameters)
        await connection.execute(f"PREPARE {name} AS {sql}")
        for mode in ("force_custom_plan", "force_generic_plan"):
            await connection.execute(f"SET plan_cache_mode = {mode}")
            text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {name}({values})")
            assert len(partitions_of(text)) == 1, (name, mode, text)
    for statement, keys in ((counters.counters(2), 2), (counters.settle(2), 2)):
        sql, names = numbered(storage.rendered(statement))
        for number, part in enumerate(names):
            sql = sql.replace(f"${number + 1}", f"'{part}'" if part.startswith("key") else "1")
        assert len(partitions_of(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}"))) <= keys
    await connection.close()
    await storage.close()


def partitions_of(text: str) -> set[str]:
    """The partitions that a plan reads or changes."""
    (plan,) = json.loads(text)
    relations = {node.get("Relation Name", "") for node in nodes(plan["Plan"])}
    return {relation for relation in relations if "_p" in relation}


def test_the_command_partitions_new_tables_and_prints_the_script_for_old_ones(
    servers: Servers, fresh: Fresh, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTH_SECRET", SECRET)
    monkeypatch.setenv("AUTH_DATABASE_URL", fresh("postgres18"))
    with pytest.raises(SystemExit):
        main(["migrate", "--partitions", "1"])
    assert "from 2 to 1024" in capsys.readouterr().err
    assert main(["status"]) == 1
    assert main(["migrate", "--partitions", "4"]) == 0
    assert "Partitioned auth_audit, auth_counters, auth_sessions." in capsys.readouterr().out
    assert main(["migrate", "--partitions", "4"]) == 0
    assert "The tables have partitions." in capsys.readouterr().out

    server = servers.get("postgres18")
    for after, url in ((0, server.database()), (99, server.database())):
        monkeypatch.setenv("AUTH_DATABASE_URL", url)
        if after:
            assert main(["migrate"]) == 0
        capsys.readouterr()
        assert main(["sql", "--after", str(after), "--partitions", "4"]) == 0
        psql = [str(server.bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", url]
        subprocess.run(psql, input=capsys.readouterr().out, check=True, text=True, capture_output=True)
        parts = server.sql("select count(*) from pg_class where relname like 'auth%\\_p_' and relkind = 'r'", url)
        assert parts == "12"


async def test_only_postgresql_has_partitions(fresh: Fresh) -> None:
    storage = SQLite(":memory:", names=Names())
    with pytest.raises(ValueError, match="only PostgreSQL"):
        await storage.partition(4)
    with pytest.raises(ValueError, match="from 2 to 1024"):
        await Postgres(fresh("postgres15")).partition(1025)
