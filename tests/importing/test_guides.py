"""The guides for moving, as a person follows them: their app, their commands, and logins with the old passwords."""

import asyncio
import json
import os
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from tests.command.commands import process
from tests.docs.files import DOCS, ROOT, fences
from tests.importing.systems import FOLDER, django_database
from tests.importing.test_formats import OLD, hash_of
from tests.importing.users import HASHED
from tests.support import PASSWORD, SECRET

GUIDES = DOCS / "guides" / "moving-from"
STRONG = "Correct horse battery 1!"
SCRIPT = """
import asyncio, sys
from asgi_auth import Passwords
from app import auth

async def main():
    async with auth:
        for email in sys.argv[2:]:
            await auth[Passwords].login(email=email, password=sys.argv[1])

asyncio.run(main())
"""
Fresh = Callable[[str], str]


def sqlite_dump(name: str) -> Callable[[Path, Fresh], str]:
    def prepare(folder: Path, _: Fresh) -> str:
        with sqlite3.connect(folder / "old.db") as connection:
            connection.executescript((FOLDER / name).read_text("utf-8"))
        connection.close()
        return ""

    return prepare


def postgres_dump(name: str, secret: str = "") -> Callable[[Path, Fresh], str]:
    def prepare(_: Path, fresh: Fresh) -> str:
        url = fresh("postgres15")
        asyncio.run(load(url, (FOLDER / name).read_text("utf-8").replace("HASH", secret)))
        return url

    return prepare


async def load(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(script)
    await connection.close()


def of_django(folder: Path, _: Fresh) -> str:
    command = [sys.executable, "-m", "tests.importing.systems.django_database", str(folder / "old.db")]
    subprocess.run(command, check=True, cwd=ROOT)
    return ""


assert django_database.PASSWORD == PASSWORD
#: What fills the old database, the status of the import, the users with their ids, and who logs in with which password.
CASES: dict[str, tuple[Callable[[Path, Fresh], str], int, dict[str, str], str, list[str]]] = {
    "fastapi-users": (
        sqlite_dump("fastapi_users.sql"),
        0,
        {
            "ada@example.com": "b0be006c-4485-47cd-acdf-1074557fa0d9",
            "Bob@example.com": "294a59dc-bbff-44d5-adca-34369d5cf51b",
            "carol@example.com": "9738caf2-238e-4cc7-ad76-e9ad7ffac2b9",
        },
        PASSWORD,
        ["ada@example.com", "bob@example.com"],
    ),
    "django": (
        of_django,
        1,  # a user without an address
        {"ada@example.com": "1", "Bob@example.com": "2", "carol@example.com": "3", "eve@example.com": "5"},
        PASSWORD,
        ["ada@example.com", "bob@example.com"],
    ),
    "auth101": (
        sqlite_dump("auth101.sql"),
        0,
        {
            "ada@example.com": "9ebf0647-6579-43aa-a520-42be93c77f60",
            "bob@example.com": "3db97ae6-39a2-46fc-b78a-fcf7f1dca376",
        },
        PASSWORD,
        ["ada@example.com", "bob@example.com"],
    ),
    "pg-simple-auth": (
        postgres_dump("pg_simple_auth.sql"),
        0,
        {"ada@example.com": "1", "Bob@example.com": "2", "carol@example.com": "3"},
        STRONG,
        ["ada@example.com", "bob@example.com"],
    ),
    "better-auth": (
        postgres_dump("better_auth.sql", hash_of("better-auth")),
        0,
        {
            "ada@example.com": "5f7pXbQ2mJkLrTnWvYzAaCdEfGhIjKlM",
            "bob@example.com": "6g8qYcR3nKlMsUoXwZaBbDeFgHiJkLmN",
            "carol@example.com": "7h9rZdS4oLmNtVpYxAbCcEfGhIjKlMnO",
        },
        OLD,
        ["ada@example.com"],
    ),
    "mvp-auth": (
        postgres_dump("mvp_auth.sql", HASHED),
        0,
        {
            "ada@example.com": "7d1f6c52-6a0e-4a53-8a35-6f0a9f7f3c11",
            "Bob@example.com": "1f0b7f3c-2f3a-4a6e-9d0c-2b6f1a7c9d22",
            "carol@example.com": "9c3e5d77-0b1a-4f7e-8e55-7a1d2c3b4e33",
        },
        PASSWORD,
        ["ada@example.com", "bob@example.com"],
    ),
    "authly": (
        postgres_dump("authly.sql", HASHED),
        0,
        {
            "ada@example.com": "7d1f6c52-6a0e-4a53-8a35-6f0a9f7f3c11",
            "bob@example.com": "1f0b7f3c-2f3a-4a6e-9d0c-2b6f1a7c9d22",
            "carol@example.com": "9c3e5d77-0b1a-4f7e-8e55-7a1d2c3b4e33",
        },
        PASSWORD,
        ["ada@example.com", "bob@example.com"],
    ),
    "supabase": (
        postgres_dump("supabase.sql", HASHED),
        1,  # a deleted user
        {
            "ada@example.com": "0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5b",
            "bob@example.com": "0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5c",
            "carol@example.com": "0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5d",
        },
        PASSWORD,
        ["ada@example.com"],
    ),
}


def test_each_guide_has_its_test() -> None:
    # Only the manual of MyAuth is public: its tables are unknown, and the snippets of its guide import a record.
    assert {file.stem for file in GUIDES.glob("*.md")} == CASES.keys() | {"myauth"}


@pytest.mark.parametrize("name", CASES)
def test_a_guide_moves_the_users_of_a_real_database(name: str, tmp_path: Path, fresh: Fresh) -> None:
    prepare, status, ids, password, emails = CASES[name]
    url = prepare(tmp_path, fresh)
    # The other way of a guide, over the old table, has a test of the storage.
    guide = tmp_path / "guide.md"
    guide.write_text((GUIDES / f"{name}.md").read_text("utf-8").partition("\n## Keep your table")[0], "utf-8")
    [app] = fences(guide, "python")
    (tmp_path / "app.py").write_text(app, "utf-8")
    for query in fences(guide, "sql"):
        asyncio.run(export(url, query, tmp_path / "users.csv"))

    for line in "\n".join(fences(guide, "sh")).splitlines():
        arguments = shlex.split(re.sub(r"postgresql://app@localhost/old", url, line))[1:]
        done = process(*arguments, "--json", cwd=tmp_path, env={})
        assert done.status == status, done
        assert json.loads(done.out)["made"] == len(ids)

    done = process("export", "--app", "app:auth", cwd=tmp_path, env={})
    users = [json.loads(line) for line in done.out.splitlines()]
    assert {user["email"]: user["id"] for user in users} == ids
    (tmp_path / "script.py").write_text(SCRIPT, "utf-8")
    environment = os.environ | {"AUTH_SECRET": SECRET, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "script.py", password, *emails], check=True, cwd=tmp_path, env=environment)


async def export(url: str, query: str, file: Path) -> None:
    """Run a query as `psql -f` does."""
    inner = query.strip().removeprefix("COPY (").partition(") TO STDOUT")[0]
    connection = await asyncpg.connect(url)
    await connection.copy_from_query(inner, output=file, format="csv", header=True)
    await connection.close()


@pytest.mark.parametrize("name", ["better-auth", "supabase"])
def test_the_database_itself_gives_the_same_users_as_its_export(name: str, tmp_path: Path, fresh: Fresh) -> None:
    prepare, _, ids, _, _ = CASES[name]
    url = prepare(tmp_path, fresh)
    [app] = fences(GUIDES / f"{name}.md", "python")
    (tmp_path / "app.py").write_text(app, "utf-8")

    done = process("import", "--from", url, "--format", name, "--app", "app:auth", "--json", cwd=tmp_path, env={})

    assert json.loads(done.out)["made"] == len(ids)
