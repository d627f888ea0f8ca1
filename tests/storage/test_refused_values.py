"""Columns of the host that refuse a value, and rows of the host that have JSON of another shape."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Account, Argon2, Auth, AuthApp, Field, Passwords, Sessions
from asgi_auth.errors import ValidationError
from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sqlite import SQLite
from tests.storage.conftest import Servers
from tests.storage.test_own_columns import table
from tests.support import EMAIL, PASSWORD, Client, bearer, login, make_auth

Fresh = Callable[[str], str]
OWN = Names(users="people", own_users_table=True)
TOLD = ["This value is not valid."]
FIELDS = [
    Field("score", float, column="score"),
    Field("age", int, minimum=0, maximum=999, column="age"),
    Field("ref", column="ref"),
    Field("note"),
]
POSTGRES = {"score": "NUMERIC(6, 2)", "age": "SMALLINT CHECK (age >= 18)", "ref": "UUID", "data": "JSONB"}
LITE = {"score": "REAL CHECK (score < 10000)", "age": "INTEGER CHECK (age >= 18)", "ref": "TEXT", "data": "JSON"}


def made(driver: str, servers: Servers, fresh: Fresh, tmp_path: Path) -> tuple[Auth, Callable[[str], Any]]:
    """Make an `Auth` on a users table with narrow columns, and a function that runs SQL."""
    if driver == "sqlite":

        def run(statement: str) -> None:
            connection = sqlite3.connect(tmp_path / "auth.db", isolation_level=None)
            connection.execute(statement)
            connection.close()

        run(table(**LITE))
        storage: Any = SQLite(tmp_path / "auth.db", names=OWN)
    else:
        url = fresh(driver)

        def run(statement: str) -> None:
            servers.get(driver).sql(statement, url)

        run(table(**POSTGRES))
        storage = Postgres(url, names=OWN)
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Account()]
    return make_auth(storage, fields=FIELDS, features=features), run


@pytest.mark.parametrize("driver", ["sqlite", "postgres15"])
async def test_a_value_that_a_column_refuses_is_one_of_the_caller(
    driver: str, servers: Servers, fresh: Fresh, tmp_path: Path
) -> None:
    auth, _ = made(driver, servers, fresh, tmp_path)
    async with auth:
        client, account = Client(AuthApp(auth)), {"email": EMAIL, "password": PASSWORD}
        refused = [await client.post("/register", account | data) for data in ({"score": 12345.5}, {"age": 5})]
        assert (await client.post("/register", account | {"age": 36, "note": "kept"})).status == 201
        headers = bearer(await login(auth))
        refused.append(await client.request("PATCH", "/me", json_body={"score": 1e300}, headers=headers))
        if driver != "sqlite":
            refused.append(await client.request("PATCH", "/me", json_body={"ref": "no uuid"}, headers=headers))
        with pytest.raises(ValidationError) as creating:
            await auth.users.create("eve@example.com", data={"age": 5})
        me = (await client.get("/me", headers=headers)).json["data"]

    names = ["score", "age", "score", "ref"][: len(refused)]
    assert [(answer.status, answer.json["errors"]) for answer in refused] == [(422, {name: TOLD}) for name in names]
    assert creating.value.errors == {"age": TOLD}
    assert me == {"score": None, "age": 36, "ref": None, "note": "kept"}


@pytest.mark.parametrize("driver", ["sqlite", "postgres15"])
@pytest.mark.parametrize("written", ["null", "[]", '"x"'])
async def test_data_of_the_host_that_is_no_object_has_no_fields(
    driver: str, written: str, servers: Servers, fresh: Fresh, tmp_path: Path
) -> None:
    auth, run = made(driver, servers, fresh, tmp_path)
    async with auth:
        client = Client(AuthApp(auth))
        await client.post("/register", {"email": EMAIL, "password": PASSWORD, "age": 36, "note": "old"})
        run(f"UPDATE people SET data = '{written}', roles = '[null, \"editor\"]'")
        headers = bearer(await login(auth))
        read = (await client.get("/me", headers=headers)).json
        listed = [user.data for user in (await auth.users.list()).users]
        changed = await client.request("PATCH", "/me", json_body={"note": "new"}, headers=headers)
        run("UPDATE people SET roles = 'null'")
        roles = (await auth.users.by_email(EMAIL)).roles

    assert (read["data"]["age"], read["data"].get("note"), read["roles"]) == (36, None, ["editor"])
    assert listed == [{"score": None, "age": 36, "ref": None}]
    assert (changed.json["data"]["age"], changed.json["data"]["note"]) == (36, "new")
    assert roles == ()
