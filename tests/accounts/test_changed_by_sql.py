"""What the host changes by SQL: processes notice it within the lag, by triggers or by a call."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sqlite import SQLite
from tests.storage.conftest import FILES_AND_SERVERS, SERVERS, Servers
from tests.storage.test_own_columns import table
from tests.support import EMAIL, Client, bearer, login, make_auth, register, who

Fresh = Callable[[str], str]
#: Seconds within which a change must be seen; `max_revocation_lag` is less.
SEEN = 5.0
PEOPLE = Names(users="people", own_users_table=True)


class Database:
    """A database as the host uses it: by SQL of its own."""

    def __init__(self, driver: str, url: str, servers: Servers, names: Names) -> None:
        self.url = url
        self._server = servers.get(driver) if driver in SERVERS else None
        self._names = names

    def storage(self) -> Any:
        if self._server is not None:
            return Postgres(self.url, names=self._names)
        return SQLite(self.url.removeprefix("sqlite:///"), names=self._names)

    def run(self, *statements: str) -> None:
        """Run statements in one transaction."""
        if self._server is not None:
            self._server.sql("; ".join(statements), self.url)
            return
        connection = sqlite3.connect(self.url.removeprefix("sqlite:///"))
        with connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()


@pytest.fixture(params=[(driver, names) for driver in FILES_AND_SERVERS for names in (Names(), PEOPLE)])
def database(request: pytest.FixtureRequest, servers: Servers, fresh: Fresh) -> Database:
    driver, names = request.param
    made = Database(driver, fresh(driver), servers, names)
    if names.own_users_table:
        made.run(table())
    return made


@asynccontextmanager
async def entered(database: Database) -> AsyncIterator[tuple[Auth, Client, str]]:
    """Two processes; give the `Auth` of one, a client of the other with a token, and the name of the users table."""
    async with make_auth(database.storage()) as here, make_auth(database.storage()) as there:
        await register(here)
        pair = await login(here)
        client = Client(AuthMiddleware(who, there, mount="/auth"), headers=bearer(pair))
        assert (await client.get("/")).json["error"] is None
        yield here, client, "people" if database._names.own_users_table else "auth_users"


async def seen(client: Client, name: str, value: object) -> None:
    """Wait until the host sees a value."""
    end = time.monotonic() + SEEN
    while (await client.get("/")).json[name] != value:
        assert time.monotonic() < end, f"{name} is not {value}"
        await asyncio.sleep(0.05)


async def test_a_ban_ends_every_session(database: Database) -> None:
    async with entered(database) as (here, client, users):
        await asyncio.to_thread(database.run, f"UPDATE {users} SET status = 'disabled'")

        await seen(client, "error", "token_revoked")
        await asyncio.to_thread(database.run, f"UPDATE {users} SET status = 'active'")
        assert (await client.get("/")).json["error"] == "token_revoked"
        assert (await login(here)).access_token


async def test_roles_are_those_of_the_row(database: Database) -> None:
    async with entered(database) as (_, client, users):
        await asyncio.to_thread(database.run, f"""UPDATE {users} SET roles = '["admin"]'""")

        await seen(client, "roles", ["admin"])


async def test_a_deletion_ends_every_session(database: Database) -> None:
    async with entered(database) as (_, client, users):
        await asyncio.to_thread(database.run, f"DELETE FROM {users}")

        await seen(client, "error", "token_revoked")
        assert (await client.get("/auth/me")).status == 401


async def test_other_columns_are_the_hosts_affair(database: Database) -> None:
    async with entered(database) as (here, client, users):
        await asyncio.to_thread(database.run, f"UPDATE {users} SET email_verified = TRUE")
        await asyncio.sleep(0.3)

        assert (await client.get("/")).json["error"] is None
        assert (await here.storage.changes_since(0)).users == [] or (await client.get("/")).json["roles"] == []


async def test_without_triggers_a_call_does_the_same(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    async with entered(database) as (here, client, users):
        user = await here.users.by_email(EMAIL)
        on = f" ON {users}" if database._server is not None else ""
        await asyncio.to_thread(
            database.run, f"DROP TRIGGER auth_users_changed{on}", f"DROP TRIGGER auth_users_deleted{on}"
        )
        async with make_auth(database.storage(), auto_migrate=False):
            assert "call await auth.users.changed(id)" in caplog.text

        await asyncio.to_thread(database.run, f"""UPDATE {users} SET roles = '["admin"]'""")
        await here.users.changed(user.id)
        await seen(client, "roles", ["admin"])

        await asyncio.to_thread(database.run, f"DELETE FROM {users}")
        await here.users.changed(user.id)
        await seen(client, "error", "token_revoked")


@pytest.mark.parametrize("driver", SERVERS)
async def test_a_long_transaction_counts_from_its_commit(driver: str, servers: Servers, fresh: Fresh) -> None:
    """A change is stamped at COMMIT: readers overlap by less than a transaction of the host may take."""
    database = Database(driver, fresh(driver), servers, Names())
    async with entered(database) as (here, client, users):
        await asyncio.to_thread(database.run, f"DELETE FROM {users}", "SELECT pg_sleep(2)")

        since = int(here.now()) - 1
        assert len((await here.storage.changes_since(since)).sessions) == 1
        await seen(client, "error", "token_revoked")


@pytest.mark.parametrize("driver", SERVERS)
async def test_a_role_of_the_host_needs_no_grant_on_our_tables(driver: str, servers: Servers, fresh: Fresh) -> None:
    database = Database(driver, fresh(driver), servers, PEOPLE)
    await asyncio.to_thread(database.run, table())
    server = servers.get(driver)
    async with entered(database) as (_, client, _users):
        await asyncio.to_thread(
            database.run, "CREATE ROLE host LOGIN PASSWORD 'x'", "GRANT SELECT, UPDATE ON people TO host"
        )
        try:
            as_host = database.url.replace("//postgres:secret@", "//host:x@")
            # A table of the session shadows none of ours.
            shadow = "CREATE TEMP TABLE auth_sessions (user_id TEXT, revoked_at BIGINT)"
            await asyncio.to_thread(server.sql, f"{shadow}; UPDATE people SET status = 'disabled'", as_host)
            await seen(client, "error", "token_revoked")
        finally:
            await asyncio.to_thread(database.run, "DROP OWNED BY host", "DROP ROLE host")


async def test_a_users_table_that_is_made_anew_gets_its_triggers_at_the_next_start(tmp_path: Path) -> None:
    """Frameworks change a table of SQLite by copying it."""
    path = tmp_path / "auth.db"
    connection = sqlite3.connect(path)
    connection.execute(table())
    async with make_auth(SQLite(path, names=PEOPLE)):
        pass
    connection.execute(table().replace("TABLE people", "TABLE new_people"))
    connection.execute("DROP TABLE people")
    connection.execute("ALTER TABLE new_people RENAME TO people")
    connection.commit()

    async with make_auth(SQLite(path, names=PEOPLE)) as auth:
        await register(auth)
        pair = await login(auth)
        connection.execute("UPDATE people SET status = 'disabled'")
        connection.commit()
        client = Client(AuthMiddleware(who, auth, mount="/auth"), headers=bearer(pair))
        await seen(client, "error", "token_revoked")
    connection.close()


async def test_a_role_that_may_not_create_triggers_starts_and_is_told(
    servers: Servers, fresh: Fresh, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database("postgres15", fresh("postgres15"), servers, PEOPLE)
    await asyncio.to_thread(
        database.run, table(), "CREATE ROLE lesser LOGIN PASSWORD 'x'", "GRANT CREATE, USAGE ON SCHEMA public TO lesser"
    )
    await asyncio.to_thread(database.run, "GRANT SELECT, INSERT, UPDATE, DELETE, REFERENCES ON people TO lesser")
    try:
        url = database.url.replace("//postgres:secret@", "//lesser:x@")
        async with make_auth(Postgres(url, names=PEOPLE)) as auth:
            await register(auth)
        assert "the users table has no triggers" in caplog.text
        assert "permission denied" in caplog.text
    finally:
        await asyncio.to_thread(database.run, "DROP OWNED BY lesser CASCADE", "DROP ROLE lesser")
