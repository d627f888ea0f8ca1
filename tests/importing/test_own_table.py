"""Imports into a users table of the host, whose ids the database assigns."""

import sqlite3
from pathlib import Path

from asgi_auth.importing import Refusal, import_users
from asgi_auth.storage import Names, from_url
from tests.importing.users import HASHED, importing, users_of
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
