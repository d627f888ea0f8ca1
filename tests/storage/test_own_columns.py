"""A users table of the host: columns of other types work, and those that cannot are named at start with the change."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import AuthMiddleware, Field
from asgi_auth.errors import StorageSetupError
from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.rows import NO_USER_NUMBER, key_of
from asgi_auth.storage.sqlite import SQLite
from tests.postgres import Server
from tests.storage.conftest import SERVERS, Servers
from tests.support import EMAIL, PASSWORD, Client, bearer, make_auth, who

Fresh = Callable[[str], str]
OWN = Names(users="people", own_users_table=True)
COLUMNS = {
    "id": "TEXT PRIMARY KEY",
    "email": "TEXT NOT NULL",
    "email_canonical": "TEXT NOT NULL UNIQUE",
    "email_verified": "BOOLEAN NOT NULL",
    "status": "TEXT NOT NULL",
    "roles": "TEXT NOT NULL",
    "data": "TEXT NOT NULL",
    "created_at": "BIGINT NOT NULL",
    "updated_at": "BIGINT NOT NULL",
    "access_changed_at": "BIGINT NOT NULL",
}
TIMES = ("created_at", "updated_at", "access_changed_at")


def table(**changes: str) -> str:
    """The statement that makes the users table, with other columns."""
    columns = {**COLUMNS, **changes}
    return f"CREATE TABLE people ({', '.join(f'{name} {kind}' for name, kind in columns.items())})"


def by_sql(server: Server, url: str, statement: str) -> None:
    """Run a statement of the host."""
    server.sql(statement, url)


async def lives(storage: Any, change: Callable[[str], None], off: str = "'disabled'") -> str:
    """Go through the life of an account over a table of the host; return its id.

    `off` is the status of a disabled account in SQL.
    """
    async with make_auth(storage, fields=[Field("nick", required=False)]) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        account = {"email": EMAIL, "password": PASSWORD}
        registered = await client.post("/auth/register", account | {"nick": "Łucja"})
        again = await client.post("/auth/register", account)
        pair = (await client.post("/auth/login", account)).json
        headers = bearer(pair["access_token"])
        me = (await client.get("/auth/me", headers=headers)).json
        assert (registered.status, again.status) == (201, 409)
        assert (me["data"], me["roles"], me["email_verified"]) == ({"nick": "Łucja"}, [], False)
        assert abs(me["created_at"] - auth.now()) < 60

        await auth.users.set_roles(me["id"], ["admin", "a \"b' {c}, d"])
        assert (await client.get("/", headers=headers)).json["roles"] == ["admin", "a \"b' {c}, d"]
        assert (await client.post("/auth/refresh", {"refresh_token": pair["refresh_token"]})).status == 200
        assert (await auth.users.set_data(me["id"], nick="Ada")).data == {"nick": "Ada"}
        since = int(auth.now()) - 60
        assert [item[:2] for item in (await auth.storage.changes_since(since)).users] == [
            (me["id"], ("admin", "a \"b' {c}, d"))
        ]
        assert (await client.get("/auth/sessions", headers=headers)).status == 200
        assert (await client.get("/auth/me/export", headers=headers)).status == 200

        (first,) = await auth.storage.users(prefix=EMAIL[:2], role="admin", limit=5)
        assert await auth.storage.users(limit=5) == [first]
        assert (first.id, await auth.storage.users(after=first, limit=5, newest=True)) == (me["id"], [])

        closed = await auth.users.create("closed@example.com")
        assert (await auth.users.set_status(closed.id, "closed")).status == "closed"
        assert [user.id for user in await auth.storage.users(status="closed", limit=5)] == [closed.id]
        assert await auth.storage.closed_users(int(auth.now()) + 60, 5) == [closed.id]
        assert (await auth.users.ban(closed.id, until=auth.now() + 60)).status == "disabled"
        assert (await auth.users.set_data(closed.id, nick="Eve")).status == "disabled"
        unbanned = await auth.users.unban(closed.id)
        assert (unbanned.status, unbanned.own_data) == ("closed", {"nick": "Eve"})
        opened = await auth.users.set_status(closed.id, "active")
        assert (opened.status, await auth.storage.count_users(status="active")) == ("active", 2)
        await auth.users.delete(closed.id)

        change(f"UPDATE people SET status = {off}")
        assert await refused_soon(client, headers)
        assert (await client.post("/auth/login", account)).status == 403
        await auth.users.delete(me["id"])
        return str(me["id"])


async def refused_soon(client: Client, headers: Any) -> bool:
    """Ask until the token is revoked, for the two seconds that a revocation takes at most."""
    end = time.monotonic() + 2
    while (await client.get("/", headers=headers)).json.get("error") != "token_revoked":
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.05)
    return True


POSTGRES: list[dict[str, str]] = [
    {},
    {"id": "UUID PRIMARY KEY"},
    {"id": "UUID PRIMARY KEY DEFAULT gen_random_uuid()"},
    {"id": "VARCHAR(36) PRIMARY KEY"},
    {"id": "SERIAL PRIMARY KEY"},
    {"id": "BIGSERIAL PRIMARY KEY"},
    {"id": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"},
    {"id": "INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"},
    dict.fromkeys(TIMES, "TIMESTAMPTZ NOT NULL DEFAULT now()"),
    dict.fromkeys(TIMES, "TIMESTAMP NOT NULL"),
    {"roles": "TEXT[] NOT NULL DEFAULT '{}'", "data": "JSONB NOT NULL"},
    {"roles": "VARCHAR(200)[] NOT NULL", "data": "JSON NOT NULL"},
    {"roles": "JSONB NOT NULL"},
    {"roles": "JSON NOT NULL", "email": "VARCHAR(320) NOT NULL", "status": "VARCHAR(20) NOT NULL DEFAULT 'active'"},
    {name: kind.replace(" NOT NULL", "") for name, kind in COLUMNS.items()},
    {"id": "BIGSERIAL PRIMARY KEY", **dict.fromkeys(TIMES, "TIMESTAMPTZ"), "roles": "TEXT[]", "data": "JSONB"},
    {"status": "BOOLEAN NOT NULL DEFAULT TRUE", "data": "JSONB NOT NULL"},
    {"status": "BOOLEAN", "data": "JSON", "roles": "TEXT[]"},
    {"status": "BOOLEAN NOT NULL"},
    dict.fromkeys(TIMES, "INTEGER NOT NULL"),
    {**dict.fromkeys(TIMES, "INTEGER"), "last_login_at": "INTEGER"},
    {"phone": "TEXT", "team": "TEXT NOT NULL DEFAULT 'none'", "number": "BIGINT GENERATED ALWAYS AS IDENTITY"},
]


@pytest.mark.parametrize("number", range(len(POSTGRES)))
async def test_columns_of_other_types_work_on_postgresql(number: int, servers: Servers, fresh: Fresh) -> None:
    driver = SERVERS[number % 2]
    url, server = fresh(driver), servers.get(driver)
    server.sql(table(**POSTGRES[number]), url)

    off = "FALSE" if "BOOL" in POSTGRES[number].get("status", "") else "'disabled'"
    user_id = await lives(Postgres(url, names=OWN), partial(by_sql, server, url), off)

    assert user_id.isdigit() == (
        "SERIAL" in str(POSTGRES[number].get("id")) or "IDENTITY" in str(POSTGRES[number].get("id"))
    )


SQLITES: list[dict[str, str]] = [
    {},
    {"id": "INTEGER PRIMARY KEY"},
    {"id": "INTEGER PRIMARY KEY AUTOINCREMENT"},
    {"id": "CHAR(32) PRIMARY KEY NOT NULL"},
    {"id": "UUID PRIMARY KEY"},
    dict.fromkeys(TIMES, "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"),
    dict.fromkeys(TIMES, "DATETIME"),
    dict.fromkeys(TIMES, "TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP"),
    {"roles": "JSON NOT NULL", "data": "JSON NOT NULL", "email": "VARCHAR(320) NOT NULL"},
    {"status": "BOOLEAN NOT NULL DEFAULT 1"},
    {"status": "TINYINT(1)", "data": "JSON"},
    {name: kind.replace(" NOT NULL", "") for name, kind in COLUMNS.items()},
]


@pytest.mark.parametrize("number", range(len(SQLITES)))
async def test_columns_of_other_types_work_on_sqlite(number: int, tmp_path: Path) -> None:
    def run(statement: str) -> None:
        connection = sqlite3.connect(tmp_path / "auth.db")
        with connection:
            connection.execute(statement)
        connection.close()

    run(table(**SQLITES[number]))

    off = "'disabled'" if SQLITES[number].get("status", "TEXT").startswith("TEXT") else "0"
    await lives(SQLite(tmp_path / "auth.db", names=OWN), run, off)


WRONG = {
    "created_at SMALLINT": (
        {"created_at": "SMALLINT NOT NULL"},
        "created_at is smallint, and must be bigint or integer or timestamp",
    ),
    "status INTEGER": ({"status": "INTEGER NOT NULL"}, "status is integer, and must be text .* or boolean"),
    "created_at DATE": ({"created_at": "DATE NOT NULL"}, "created_at is date"),
    "roles INTEGER[]": ({"roles": "INTEGER[] NOT NULL"}, r"roles is integer\[\]"),
    "data HSTORE-like": ({"data": "BYTEA NOT NULL"}, "data is bytea, and must be text"),
    "email_verified": ({"email_verified": "INTEGER NOT NULL"}, "email_verified TYPE BOOLEAN"),
    "short": ({"email": "VARCHAR(50) NOT NULL"}, "email holds 50 characters, and must hold 254"),
    "short status": ({"status": "VARCHAR(6) NOT NULL"}, "status holds 6 characters"),
    "id SMALLINT": ({"id": "SMALLINT PRIMARY KEY"}, "id is smallint"),
    "id without default": ({"id": "BIGINT PRIMARY KEY"}, "id is bigint and has no default"),
    "required": ({"phone": "TEXT NOT NULL"}, "phone is NOT NULL and has no default"),
    "two": ({"phone": "TEXT NOT NULL", "created_at": "REAL NOT NULL"}, "created_at is real.*; phone is NOT NULL"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("auto_migrate", [True, False])
async def test_columns_that_do_not_fit_are_named_at_start(
    *, case: str, auto_migrate: bool, servers: Servers, fresh: Fresh
) -> None:
    url, (changes, told) = fresh("postgres15"), WRONG[case]
    servers.get("postgres15").sql(table(**changes), url)
    auth = make_auth(Postgres(url, names=OWN), auto_migrate=auto_migrate)

    with pytest.raises(StorageSetupError, match=told):
        await auth.start()
    await auth.close()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"id": "BIGINT PRIMARY KEY"}, "id is BIGINT, and must be declared as TEXT"),
        ({"roles": "INTEGER NOT NULL"}, "roles is INTEGER"),
        ({"email_verified": "VARCHAR(5) NOT NULL"}, "email_verified is VARCHAR"),
        ({"phone": "TEXT NOT NULL"}, "phone is NOT NULL and has no default"),
    ],
)
async def test_columns_that_do_not_fit_are_named_on_sqlite(changes: dict[str, str], told: str, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "auth.db")
    connection.execute(table(**changes))
    connection.close()
    auth = make_auth(SQLite(tmp_path / "auth.db", names=OWN))

    with pytest.raises(StorageSetupError, match=told):
        await auth.start()
    await auth.close()


async def test_a_column_that_a_trigger_fills_needs_no_default(servers: Servers, fresh: Fresh) -> None:
    url, server = fresh("postgres15"), servers.get("postgres15")
    server.sql(table(slug="TEXT NOT NULL"), url)
    server.sql(
        "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.slug = NEW.email; RETURN NEW; END'", url
    )
    server.sql("CREATE TRIGGER fill BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION fill()", url)

    await lives(Postgres(url, names=OWN), partial(by_sql, server, url))


async def test_rows_of_the_host_with_nulls_are_read_and_may_do_nothing(servers: Servers, fresh: Fresh) -> None:
    url, server = fresh("postgres18"), servers.get("postgres18")
    server.sql(table(**{name: kind.replace(" NOT NULL", "") for name, kind in COLUMNS.items()}), url)
    server.sql("INSERT INTO people (id, email_canonical) VALUES ('x', 'ada@example.com')", url)

    async with make_auth(Postgres(url, names=OWN)) as auth:
        user = await auth.users.by_email(EMAIL)

    assert (user.id, user.email, user.roles, user.data, user.status) == ("x", "", (), {}, "disabled")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_a_database_that_is_not_utf_8_is_named_at_start(encoding: str, servers: Servers) -> None:
    server: Server = servers.get("postgres15")
    name = f"in_{encoding.lower()}"
    server.sql(f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
    auth = make_auth(server.dsn(name))

    with pytest.raises(StorageSetupError, match=f"is {encoding}, and must be UTF8"):
        await auth.start()
    await auth.close()


@pytest.mark.parametrize("user_id", ["", "0", "-1", "01", "1.0", " 1", "1 ", "٣", "1e3", "x", "9" * 19, "9" * 40])
@pytest.mark.parametrize("id_type", ["INTEGER", "BIGINT"])
def test_an_id_of_another_shape_is_that_of_no_user(user_id: str, id_type: str) -> None:
    assert key_of(id_type, user_id) == NO_USER_NUMBER
    assert key_of(id_type, "2147483647") == 2147483647
    assert key_of("UUID", user_id) == "00000000-0000-0000-0000-000000000000"


def test_numbers_as_keys_need_a_table_of_the_host() -> None:
    with pytest.raises(ValueError, match="own_users_table"):
        Names(id_type="BIGINT")
