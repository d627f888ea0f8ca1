"""Extra fields in columns of a users table of the host: written, read, cleared, and named where they do not fit."""

import sqlite3
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import pytest

from asgi_auth import Account, Argon2, Auth, AuthApp, Field, Passwords, Sessions
from asgi_auth.errors import StorageSetupError, ValidationError
from asgi_auth.model.records import Credential, User, new_id
from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sqlite import SQLite
from tests.storage.conftest import Servers
from tests.storage.test_own_columns import table
from tests.support import EMAIL, PASSWORD, Client, bearer, login, make_auth

Fresh = Callable[[str], str]
OWN = Names(users="people", own_users_table=True)


class Plan(Enum):
    FREE = "free"
    PRO = "pro"


FIELDS = [
    Field("plan", Plan, default=Plan.FREE, column="plan_name"),
    Field("age", int, minimum=0, maximum=200, column="age"),
    Field("score", float, column="score"),
    Field("news", bool, default=False, column="news"),
    Field("born", date, column="born"),
    Field("seen", datetime, column="seen"),
    Field("tags", list[str], column="tags"),
    Field("home", dict[str, Any], column="home"),
    Field("company", required=True, max_length=80, column="firm"),
    Field("free", column=None),
]
FULL = {
    "plan": "pro", "age": 36, "score": 1.5, "news": True, "born": "1815-12-10", "seen": "2026-03-31T12:00:00.123456Z",
    "tags": ["a", 'b"{c}'], "home": {"street": "x", "deep": [1, None]}, "free": "here", "company": "Engines",
}  # fmt: skip
EMPTY = {**dict.fromkeys(FULL), "plan": "free", "news": False, "company": "Engines"}
POSTGRES: list[dict[str, str]] = [
    {
        "plan_name": "TEXT", "age": "INTEGER", "score": "DOUBLE PRECISION", "news": "BOOLEAN", "born": "DATE",
        "seen": "TIMESTAMPTZ", "tags": "TEXT[]", "home": "JSONB", "data": "JSONB NOT NULL",
    },
    {
        "plan_name": "plan_type", "age": "SMALLINT", "score": "NUMERIC(8, 2)", "news": "BOOLEAN",
        "born": "DATE", "seen": "TIMESTAMP", "tags": "JSONB", "home": "JSON", "id": "SERIAL PRIMARY KEY",
    },
    {
        "plan_name": "VARCHAR(4)", "age": "BIGINT", "score": "DOUBLE PRECISION", "news": "BOOLEAN",
        "born": "DATE", "seen": "TIMESTAMPTZ", "tags": "VARCHAR(200)[]", "home": "JSONB", "data": "TEXT",
    },
]  # fmt: skip


async def lives(auth: Auth, read: Callable[[str], Any]) -> None:
    """Write, read, change and clear all fields."""
    client = Client(AuthApp(auth))
    account = {"email": EMAIL, "password": PASSWORD}
    registered = await client.post("/register", account | FULL)
    assert registered.status == 201, registered.body
    headers = bearer(await login(auth))
    me = (await client.get("/me", headers=headers)).json["data"]
    user = await auth.users.by_email(EMAIL)
    export = (await client.get("/me/export", headers=headers)).json["user"]["data"]
    assert me == export == user.data == FULL
    assert read("SELECT plan_name FROM people") == "pro"
    assert "pro" not in str(read("SELECT data FROM people"))

    changed = await client.request("PATCH", "/me", json_body={"age": 37, "tags": []}, headers=headers)
    assert changed.json["data"] == FULL | {"age": 37, "tags": []}
    await auth.users.set_roles(user.id, ["admin"])
    clear = {name: EMPTY[name] for name in EMPTY if name != "free"}
    cleared = await client.request("PATCH", "/me", json_body=clear, headers=headers)
    assert cleared.json["data"] == EMPTY | {"free": "here"}

    await client.post("/register", account | {"email": "eve@example.com", "company": "Engines"})
    assert (await auth.users.by_email("eve@example.com")).data == EMPTY
    assert [each.data for each in (await auth.users.list()).users] == [EMPTY | {"free": "here"}, EMPTY]


def made(storage: Any, fields: list[Field] = FIELDS) -> Auth:
    return make_auth(storage, fields=fields, features=[Passwords(argon2=Argon2.cheap()), Sessions(), Account()])


@pytest.mark.parametrize("number", range(len(POSTGRES)))
async def test_values_live_in_columns_of_postgresql(number: int, servers: Servers, fresh: Fresh) -> None:
    driver = ("postgres15", "postgres18")[number % 2]
    url, server = fresh(driver), servers.get(driver)
    server.sql("CREATE TYPE plan_type AS ENUM ('free', 'pro')", url)
    server.sql('ALTER DATABASE "' + url.rpartition("/")[2].partition("?")[0] + "\" SET TimeZone = 'Asia/Tokyo'", url)
    server.sql(table(firm="TEXT NOT NULL", **POSTGRES[number]), url)

    async with made(Postgres(url, names=OWN)) as auth:
        await lives(auth, lambda statement: server.sql(statement, url))


SQLITES: list[dict[str, str]] = [
    {
        "plan_name": "TEXT", "age": "INTEGER", "score": "REAL", "news": "BOOLEAN", "born": "DATE", "seen": "TIMESTAMP",
        "tags": "JSON", "home": "TEXT",
    },
    {
        "plan_name": "VARCHAR(4)", "age": "INT", "score": "DOUBLE", "news": "INTEGER", "born": "TEXT",
        "seen": "TEXT", "tags": "TEXT", "home": "JSON", "id": "INTEGER PRIMARY KEY",
    },
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(SQLITES)))
async def test_values_live_in_columns_of_sqlite(number: int, tmp_path: Path) -> None:
    def run(statement: str) -> Any:
        connection = sqlite3.connect(tmp_path / "auth.db")
        with connection:
            found = connection.execute(statement).fetchone()
        connection.close()
        return found and found[0]

    run(table(firm="TEXT NOT NULL", **SQLITES[number]))
    async with made(SQLite(tmp_path / "auth.db", names=OWN)) as auth:
        await lives(auth, run)


WRONG: list[tuple[Field, dict[str, str], str]] = [
    (Field("plan", column="plan"), {}, "people has no column plan: ALTER TABLE people ADD COLUMN plan TEXT"),
    (Field("plan", column="plan"), {"plan": "INTEGER"}, "plan is integer, and must be text"),
    (Field("age", int, column="age"), {"age": "TEXT"}, "age is text, and must be bigint"),
    (Field("age", int, column="age"), {"age": "INTEGER"}, "give the field age a minimum and a maximum"),
    (Field("age", int, maximum=9, column="age"), {"age": "SMALLINT"}, "give the field age a minimum and a maximum"),
    (Field("size", int, choices=[1, 40000], column="size"), {"size": "SMALLINT"}, "give the field size a minimum"),
    (
        Field("plan", column="plan"),
        {"plan": "VARCHAR(20)"},
        "plan holds 20 characters, and the field plan",
    ),
    (
        Field("plan", column="plan"),
        {"plan": "TEXT NOT NULL"},
        "plan is NOT NULL and has no default: give it a default, allow NULL, or make the field plan required$",
    ),
    (
        Field("plan", write="admin", column="plan"),
        {"plan": "TEXT NOT NULL"},
        "or make the field plan required, with a default$",
    ),
    (
        Field("plan", write="admin", required=True, column="plan"),
        {"plan": "TEXT NOT NULL"},
        "or make the field plan required, with a default$",
    ),
    (Field("tags", list[str], column="tags"), {"tags": "INTEGER[]"}, r"tags is integer\[\], and must be jsonb or json"),
    (Field("born", date, column="born"), {"born": "TIMESTAMPTZ"}, "born is timestamp with time zone, and must be date"),
]


@pytest.mark.parametrize(("field", "columns", "told"), WRONG)
async def test_columns_that_do_not_fit_are_named_at_start(
    field: Field, columns: dict[str, str], told: str, servers: Servers, fresh: Fresh
) -> None:
    url = fresh("postgres15")
    servers.get("postgres15").sql(table(**columns), url)
    auth = made(Postgres(url, names=OWN), [field])

    with pytest.raises(StorageSetupError, match=told):
        await auth.start()
    await auth.close()


async def test_a_column_that_changes_text_is_named_on_sqlite(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "auth.db")
    connection.execute(table(plan="INTEGER"))
    connection.close()
    auth = made(SQLite(tmp_path / "auth.db", names=OWN), [Field("plan", column="plan")])

    with pytest.raises(StorageSetupError, match="plan is INTEGER, which does not keep the values of the field plan"):
        await auth.start()
    await auth.close()


FILLED = {"level": "INTEGER NOT NULL DEFAULT 1", "credit": "INTEGER NOT NULL DEFAULT 5", "firm": "TEXT NOT NULL"}
OF_FILLED = [
    Field("level", int, minimum=0, maximum=9, column="level"),
    Field("credit", int, minimum=0, maximum=99, write="admin", column="credit"),
    Field("company", write="admin", required=True, default="Engines", column="firm"),
]


@pytest.mark.parametrize("key", ["TEXT PRIMARY KEY", "INTEGER PRIMARY KEY"])
@pytest.mark.parametrize("driver", ["sqlite", "postgres15"])
async def test_the_database_fills_columns_that_are_not_null(
    driver: str, key: str, servers: Servers, fresh: Fresh, tmp_path: Path
) -> None:
    url = fresh(driver)
    if driver == "sqlite":
        connection = sqlite3.connect(tmp_path / "auth.db")
        connection.execute(table(id=key, **FILLED))
        connection.close()
        storage: Any = SQLite(tmp_path / "auth.db", names=OWN)
    else:
        servers.get(driver).sql(table(id=key.replace("INTEGER", "SERIAL"), **FILLED), url)
        storage = Postgres(url, names=OWN)
    async with made(storage, OF_FILLED) as auth:
        client, account = Client(AuthApp(auth)), {"email": EMAIL, "password": PASSWORD}
        registered = await client.post("/register", account)
        headers = bearer(await login(auth))
        shown = await client.get("/me", headers=headers)
        cleared = await client.request("PATCH", "/me", json_body={"level": None}, headers=headers)
        changed = await client.request("PATCH", "/me", json_body={"level": 3}, headers=headers)
        kept = await client.request("PATCH", "/me", json_body={"level": None}, headers=headers)
        made_by_host = await auth.users.create("eve@example.com", data={"level": 2})
        template = await auth.users.get(made_by_host.id)
        company = {"company": "Engines"}
        many: list[tuple[User, list[Credential]]] = [
            (msgspec.structs.replace(template, id=new_id(n), email_canonical=f"{n}@x.example", data=company | data), [])
            for n, data in enumerate([{}] * 20 + [{"level": 4}] * 20)
        ]
        added = await auth.storage.add_users(many)

    filled = {"level": 1, "credit": 5, "company": "Engines"}
    assert (registered.status, shown.json["data"]) == (201, filled)
    levels = [answer.json["data"]["level"] for answer in (cleared, changed, kept)]
    assert levels == [1, 3, 3]
    assert made_by_host.data == template.data == filled | {"level": 2}
    assert [user and user.data["level"] for user in added] == [1] * 20 + [4] * 20


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("driver", ["sqlite", "postgres15", "postgres18"])
async def test_a_unique_index_of_the_host_is_answered_like_a_unique_field(
    *, driver: str, unique: bool, servers: Servers, fresh: Fresh, tmp_path: Path
) -> None:
    url = fresh(driver)
    if driver == "sqlite":
        connection = sqlite3.connect(tmp_path / "auth.db")
        connection.execute(table(nick="TEXT UNIQUE", id="INTEGER PRIMARY KEY"))
        connection.commit()
        connection.close()
        storage: Any = SQLite(tmp_path / "auth.db", names=OWN)
    else:
        servers.get(driver).sql(table(nick="TEXT UNIQUE"), url)
        storage = Postgres(url, names=OWN)
    fields = [Field("nick", unique=unique, column="nick"), Field("age", int, column=None)]
    async with made(storage, fields) as auth:
        first = await auth.users.create(EMAIL, data={"nick": "ada"})
        eve = await auth.users.create("eve@example.com", data={"nick": "eve"})
        account = {"email": "bob@example.com", "password": PASSWORD, "nick": "ada"}
        registering = await Client(AuthApp(auth)).post("/register", account)
        with pytest.raises(ValidationError) as changing:
            await auth.users.set_data(eve.id, nick="ada", age=5)
        await auth.users.delete(first.id)
        again = await Client(AuthApp(auth)).post("/register", account)

        told = {"nick": ["This is taken."]}
        assert (registering.status, registering.json.get("errors"), changing.value.errors) == (422, told, told)
        assert (await auth.users.get(eve.id)).data == {"nick": "eve", "age": None}
        assert again.status == 201


@pytest.mark.parametrize(
    ("names", "fields", "told"),
    [
        (Names(), [Field("plan", column="plan")], "needs a users table of the host"),
        (OWN, [Field("plan", column="Email")], "has a column that another one has: Email"),
        (OWN, [Field("a", column="plan"), Field("b", column="plan")], "the field b has a column that another one has"),
    ],
)
def test_a_column_that_cannot_be_is_told(names: Names, fields: list[Field], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make_auth(SQLite(names=names), fields=fields)


@pytest.mark.parametrize("column", ["", "a b", 'a"b', "1a", "ä", "x" * 49])
def test_a_column_has_a_plain_name(column: str) -> None:
    with pytest.raises(ValueError, match="the column must be a name"):
        Field("plan", column=column)
