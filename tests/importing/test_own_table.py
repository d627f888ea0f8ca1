"""Imports into a users table of the host, whose ids the database assigns."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from asgi_auth import Field
from asgi_auth.importing import Refusal, import_users
from asgi_auth.importing.importer import OnConflict
from asgi_auth.storage import Names, from_url
from tests.importing.users import HASHED, importing, users_of
from tests.storage.conftest import Servers
from tests.storage.test_own_columns import table
from tests.support import login

TABLE = """
    CREATE TABLE people (
        id INTEGER PRIMARY KEY, email TEXT NOT NULL, email_canonical TEXT NOT NULL UNIQUE,
        email_verified BOOLEAN NOT NULL, status TEXT NOT NULL, roles TEXT NOT NULL, data TEXT NOT NULL,
        created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, access_changed_at BIGINT NOT NULL
    );
    INSERT INTO people VALUES (7, 'ada@example.com', 'ada@example.com', TRUE, 'active', '[]', '{}', 1, 1, 0);
"""


async def test_ids_that_the_database_assigns_find_users_and_are_never_made(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "own.db") as connection:
        connection.executescript(TABLE)
    connection.close()
    names = Names(users="people", own_users_table=True)
    async with importing(from_url(f"sqlite:///{tmp_path}/own.db", names)) as auth:
        known = {"id": 7, "email": "ada@example.com", "email_verified": True, "password_hash": HASHED}
        new = {"id": 8, "email": "bob@example.com", "password_hash": HASHED}

        report = await import_users(auth, [known, new], on_conflict="update", with_credentials=True)

        assert (report.updated, report.made) == (1, 0)
        assert report.refusals == [Refusal(2, "id: the database assigns the ids of users; see new_ids")]
        await login(auth, "ada@example.com")
        many = [new | {"email": f"user{number}@example.com"} for number in range(30)]
        assert (await import_users(auth, [new, *many], new_ids=True)).made == 31
        await login(auth, "bob@example.com")
        assert sorted(int(user.id) for user in await users_of(auth)) == [7, *range(8, 39)]


@pytest.mark.parametrize("on_conflict", ["skip", "update"])
async def test_a_value_that_a_column_of_the_host_refuses_is_named(
    on_conflict: OnConflict, servers: Servers, fresh: Callable[[str], str]
) -> None:
    url, server = fresh("postgres15"), servers.get("postgres15")
    server.sql(table(plan="VARCHAR(20) CHECK (plan IN ('free', 'pro'))"), url)
    names = Names(users="people", own_users_table=True)
    fields = [Field("plan", max_length=20, column="plan"), Field("ticket", unique=True)]
    async with importing(from_url(url, names), fields=fields) as auth:
        await auth.users.create("ada@example.com", data={"plan": "pro", "ticket": "a"})
        records = [
            {"email": "eve@example.com", "data": {"plan": "gold"}},
            {"email": "bob@example.com", "data": {"plan": "free"}},
            {"email": "dan@example.com", "data": {"plan": "pro", "ticket": "A"}},
            {"email": "ada@example.com", "data": {"plan": "gold"}},
        ]

        report = await import_users(auth, records, on_conflict=on_conflict)

        refused = "the users table refuses a value of the record: plan"
        wanted = [
            Refusal(1, refused),
            Refusal(3, "a credential or a unique value of it belongs to another user"),
            *([Refusal(4, refused)] if on_conflict == "update" else []),
        ]
        assert report.refusals == wanted
        assert (await auth.users.by_email("ada@example.com")).data["plan"] == "pro"
        assert {user.email for user in await users_of(auth)} == {"ada@example.com", "bob@example.com"}
