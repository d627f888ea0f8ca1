"""The migrations as a text of SQL: what an administrator runs makes the same tables as a start."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.testing.records import MIGRATIONS, NOW, added
from tests.storage.conftest import SERVERS, Servers, connect
from tests.support import login, make_auth, register

Fresh = Callable[[str], str]
TABLES = {
    "postgresql": """
        SELECT string_agg(concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default), chr(10)
            ORDER BY table_name, column_name) FROM information_schema.columns WHERE table_schema = '{schema}'
    """,
    "indexes": "SELECT string_agg(indexdef, chr(10) ORDER BY indexdef) FROM pg_indexes WHERE schemaname = '{schema}'",
    "triggers": """
        SELECT string_agg(pg_get_triggerdef(oid), chr(10) ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal
    """,
}


def run_in_file(path: Path, text: str) -> None:
    """Run a script as the command line of SQLite does."""
    connection = sqlite3.connect(path)
    connection.executescript(text)
    connection.close()


def tables_of(path: Path) -> list[tuple[str, ...]]:
    """Return the definitions of everything in a file, without white space."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    ).fetchall()
    connection.close()
    return [tuple(" ".join(str(part).split()) for part in row) for row in rows]


async def test_a_file_made_by_the_script_is_the_same_as_one_made_by_a_start(tmp_path: Path) -> None:
    run_in_file(tmp_path / "script.db", await SQLite(tmp_path / "none.db").script())
    made = SQLite(tmp_path / "start.db")
    await made.migrate(NOW)
    await made.close()

    assert not (tmp_path / "none.db").exists()
    assert tables_of(tmp_path / "script.db") == tables_of(tmp_path / "start.db")
    async with make_auth(f"sqlite:///{tmp_path}/script.db", auto_migrate=False) as auth:
        await register(auth)
        assert await login(auth)


@pytest.mark.parametrize("driver", SERVERS)
async def test_a_database_made_by_the_script_is_the_same_as_one_made_by_a_start(
    driver: str, servers: Servers, fresh: Fresh
) -> None:
    server, by_script, by_start = servers.get(driver), fresh(driver), servers.get(driver).database()
    made = connect(driver, by_start)
    await made.migrate(NOW)
    server.sql(await made.script(), by_script)
    await made.close()

    for question in TABLES.values():
        asked = question.format(schema="public")
        assert server.sql(asked, by_script) == server.sql(asked, by_start)
    async with make_auth(by_script, auto_migrate=False) as auth:
        await register(auth)
        assert await login(auth)


async def test_names_and_a_schema_are_those_of_the_storage(servers: Servers, fresh: Fresh) -> None:
    server, url = servers.get("postgres18"), fresh("postgres18")
    storage = Postgres(url, names=Names(prefix="my_", schema="accounts"))
    server.sql(await storage.script(), url)

    await storage.check_tables()
    assert await storage.missing_migrations() == []
    await added(storage)
    assert server.sql("SELECT count(*) FROM accounts.my_users", url) == "1"
    await storage.close()


@pytest.mark.parametrize("driver", ["sqlite", "postgres15"])
async def test_a_script_goes_on_after_a_number(
    driver: str, servers: Servers, fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage: SQLStorage = connect(driver, fresh(driver))
    rest = await storage.script(after=MIGRATIONS[-3])
    with monkeypatch.context() as patch:
        from asgi_auth.storage import migrate

        earlier = [each for each in migrate.migrations() if each[0] <= MIGRATIONS[-3]]
        patch.setattr(migrate, "migrations", lambda: earlier)
        await storage.migrate(NOW)
    assert await storage.missing_migrations() == MIGRATIONS[-2:]

    if driver == "sqlite":
        await storage.close()
        run_in_file(tmp_path / "auth.db", rest)
    else:
        servers.get(driver).sql(rest, fresh(driver))

    assert await storage.missing_migrations() == []
    await storage.check_tables()
    await storage.close()


async def test_a_users_table_of_the_host_is_left_out(fresh: Fresh, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "auth.db")
    connection.execute(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT NOT NULL, email_canonical TEXT NOT NULL UNIQUE, "
        "email_verified BOOLEAN NOT NULL, status TEXT NOT NULL, roles TEXT NOT NULL, data TEXT NOT NULL, "
        "created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, access_changed_at BIGINT NOT NULL)"
    )
    connection.close()
    storage = connect("sqlite", fresh("sqlite"), Names(users="people", own_users_table=True))
    text = await storage.script()
    await storage.close()

    assert 'CREATE TABLE "auth_users"' not in text
    assert "user_id INTEGER" in text
    run_in_file(tmp_path / "auth.db", text)
    await storage.check_tables()
    await storage.close()
