"""Imports from databases that the other systems have filled themselves: ids, roles and passwords move."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from asgi_auth import Auth, Field
from asgi_auth.errors import AccountDisabledError, StorageSetupError
from asgi_auth.importing import Refusal, import_database, import_users
from asgi_auth.model.records import User
from asgi_auth.storage import Names, from_url
from tests.importing.systems import FOLDER
from tests.importing.users import importing, users_of
from tests.support import PASSWORD, login

STRONG = "Correct horse battery 1!"


def loaded(folder: Path, name: str) -> str:
    """A file of SQLite with a dump; returns its URL."""
    file = folder / "other.db"
    with sqlite3.connect(file) as connection:
        connection.executescript((FOLDER / name).read_text("utf-8"))
    connection.close()
    return f"sqlite:///{file}"


def taking(**settings: Any) -> Auth:
    """An `Auth` whose table takes ids of any form."""
    return importing(from_url("sqlite://", Names(foreign_ids=True)), **settings)


async def by_email(auth: Auth) -> dict[str, User]:
    return {user.email_canonical: user for user in await users_of(auth)}


async def test_users_of_fastapi_users_move(tmp_path: Path) -> None:
    url = loaded(tmp_path, "fastapi_users.sql")
    async with importing(fields=[Field("city")]) as auth:
        report = await import_database(auth, url, format="fastapi-users", roles={"is_superuser": "admin"})

        assert (report.made, report.refused, report.line, report.part) == (3, 0, 3, 1.0)
        users = await by_email(auth)
        ada, bob = users["ada@example.com"], users["bob@example.com"]
        assert (ada.id, ada.email_verified, ada.roles) == ("b0be006c-4485-47cd-acdf-1074557fa0d9", True, ("admin",))
        assert (ada.data, bob.data) == ({"city": "London"}, {"city": None})
        assert (bob.email_verified, bob.roles, users["carol@example.com"].status) == (False, (), "disabled")
        await login(auth, "ada@example.com")
        await login(auth, "BOB@example.com")
        with pytest.raises(AccountDisabledError):
            await login(auth, "carol@example.com")


async def test_users_of_auth101_move(tmp_path: Path) -> None:
    url = loaded(tmp_path, "auth101.sql")
    async with importing() as auth:
        report = await import_database(auth, url, format="auth101")

        assert (report.made, report.refused) == (2, 0)
        users = await by_email(auth)
        assert users["ada@example.com"].id == "9ebf0647-6579-43aa-a520-42be93c77f60"
        assert not users["ada@example.com"].email_verified
        await login(auth, "ada@example.com")
        await login(auth, "bob@example.com")


@pytest.mark.parametrize("driver", ["postgres15", "postgres18"])
async def test_users_of_pg_simple_auth_move(driver: str, fresh: Callable[[str], str]) -> None:
    url = fresh(driver)
    connection = await asyncpg.connect(url)
    await connection.execute((FOLDER / "pg_simple_auth.sql").read_text("utf-8"))
    async with taking() as auth:
        report = await import_database(auth, url, format="pg-simple-auth")

        assert (report.made, report.refused) == (3, 0)
        users = await by_email(auth)
        assert {email: (user.id, user.email_verified) for email, user in users.items()} == {
            "ada@example.com": ("1", True),
            "bob@example.com": ("2", False),
            "carol@example.com": ("3", False),
        }
        await login(auth, "ada@example.com", STRONG)
        await login(auth, "bob@example.com", STRONG)
        assert await auth.storage.credentials(users["carol@example.com"].id) == []
    assert await connection.fetchval("SELECT count(*) FROM public.users") == 3
    await connection.close()


@pytest.fixture(scope="module")
def django_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("django") / "django.db"
    command = [sys.executable, "-m", "tests.importing.systems.django_database", str(file)]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    return file


async def test_users_of_django_move(django_file: Path) -> None:
    async with taking(fields=[Field("first_name")]) as auth:
        roles = {"is_superuser": "admin", "is_staff": "staff"}
        report = await import_database(auth, f"sqlite:///{django_file}", format="django", roles=roles)

        assert (report.made, report.refusals) == (4, [Refusal(4, "the record has no address")])
        users = await by_email(auth)
        ada, eve = users["ada@example.com"], users["eve@example.com"]
        assert (ada.id, ada.roles, ada.data) == ("1", ("admin", "staff"), {"first_name": "Ada"})
        assert (users["carol@example.com"].status, eve.roles, eve.email_verified) == ("disabled", (), False)
        await login(auth, "ada@example.com")
        await login(auth, "bob@example.com")
        assert await auth.storage.credentials(eve.id) == []


async def test_the_dump_of_django_gives_the_same_users_as_its_database(django_file: Path) -> None:
    async with taking() as first, taking() as second:
        await import_database(first, f"sqlite:///{django_file}", format="django")
        await import_users(second, f"{django_file}.json", format="django")

        def plain(users: list[User]) -> list[tuple[Any, ...]]:
            return [(user.id, user.email, user.status, user.created_at) for user in users]

        assert plain(await users_of(first)) == plain(await users_of(second))
        await login(second, "ada@example.com")


@pytest.mark.parametrize("driver", ["sqlite", "postgres15"])
async def test_a_large_table_is_read_page_by_page(driver: str, fresh: Callable[[str], str], tmp_path: Path) -> None:
    create = 'CREATE TABLE "user" (id INTEGER PRIMARY KEY, email TEXT, is_active BOOLEAN, is_superuser BOOLEAN)'
    rows = [(number, f"user{number}@example.com", True, False) for number in range(1, 1202)]
    if driver == "sqlite":
        url = f"sqlite:///{tmp_path}/other.db"
        with sqlite3.connect(tmp_path / "other.db") as file:
            file.execute(create)
            file.executemany('INSERT INTO "user" VALUES (?, ?, ?, ?)', rows)
        file.close()
    else:
        url = fresh(driver)
        connection = await asyncpg.connect(url)
        await connection.execute(create)
        await connection.copy_records_to_table("user", records=rows)
        await connection.close()
    seen: list[int] = []
    async with taking() as auth:
        report = await import_database(auth, url, format="fastapi-users", progress=lambda done: seen.append(done.made))
        assert (report.made, seen) == (1201, [500, 1000, 1201])
        again = await import_database(auth, url, format="fastapi-users")
        assert (again.made, again.skipped) == (0, 1201)


async def test_the_other_database_is_only_read(tmp_path: Path, fresh: Callable[[str], str]) -> None:
    from asgi_auth.storage.source_tables import PostgresSource, SQLiteSource

    for source in (SQLiteSource(loaded(tmp_path, "auth101.sql")), PostgresSource(fresh("postgres15"))):
        await source.open()
        with pytest.raises(StorageSetupError, match=r"read.?only"):
            await source.fetch("CREATE TABLE new (id INTEGER)", ())
        await source.close()


@pytest.mark.parametrize(
    ("url", "options", "error"),
    [
        ("sqlite:///missing.db", {}, StorageSetupError),
        ("postgresql://nobody@127.0.0.1:1/none", {}, StorageSetupError),
        ("sqlite://", {}, ValueError),
        ("mysql://x", {}, ValueError),
        ("sqlite:///x.db", {"format": "native"}, ValueError),
        ("sqlite:///x.db", {"table": 'user" --'}, ValueError),
        ("sqlite:///x.db", {"table": "a.b.c"}, ValueError),
    ],
)
async def test_what_cannot_be_read_is_an_error(url: str, options: Any, error: type[Exception]) -> None:
    async with importing() as auth:
        with pytest.raises(error):
            await import_database(auth, url, **{"format": "auth101", **options})


async def test_another_table_is_an_error_that_names_it(tmp_path: Path) -> None:
    url = loaded(tmp_path, "auth101.sql")
    async with importing() as auth:
        with pytest.raises(StorageSetupError, match="no such table"):
            await import_database(auth, url, format="django")
        report = await import_database(auth, url, format="auth101", table="session")

    assert report.refused == 2
    assert PASSWORD
