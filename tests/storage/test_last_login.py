"""The time of a user's last login: noted by the statement of the login, and kept when sessions go."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from asgi_auth import Account, Argon2, AuthApp, Passwords, Sessions
from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.storage.statements import sessions as statements
from asgi_auth.testing.records import NOW, a_credential, a_session, a_user, added, at_once
from tests.storage.conftest import DRIVERS, Servers, opened
from tests.storage.test_own_columns import table
from tests.support import Client, Clock, CountingStorage, bearer, login, make_auth, register

Fresh = Callable[[str], str]
OWN = Names(users="people", own_users_table=True, user_columns={"last_login_at": "seen"})


@pytest.mark.parametrize("driver", DRIVERS)
async def test_each_login_notes_its_time_which_outlives_the_session(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver)) as storage:
        user, credential = await added(storage)
        other, _ = await added(storage, 2)
        before = await storage.user(user.id)
        for number, limit in ((1, 50), (2, 1)):
            # Near the limit, the session is added in a transaction.
            session = a_session(user, number, created_at=NOW + number, expires_at=NOW + 10)
            assert await storage.add_session(session, credential, limit) is not None
        assert await storage.purge(NOW + 60, 100) == 2
        found = await storage.user_with_credential(user.email_canonical, "password")

        assert (before, before and before.last_login) == (user, None)
        assert await storage.user(user.id) == msgspec.structs.replace(user, last_login=NOW + 2)
        assert found is not None
        assert found[0].last_login == NOW + 2
        assert await storage.user(other.id) == other


@pytest.mark.parametrize("driver", ["sqlite", "postgres15", "postgres18"])
async def test_a_login_that_is_refused_and_one_of_an_administrator_note_nothing(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver)) as storage:
        user, credential = await added(storage)
        acting = a_session(user, data={"actor": "user-2"})
        assert await storage.add_session(acting, credential, 50) == []
        wrong = msgspec.structs.replace(credential, version=7)
        assert await storage.add_session(a_session(user, 2), wrong, 50) is None
        await storage.update_user(user.id, {"status": "disabled"}, NOW)
        assert await storage.add_session(a_session(user, 3), credential, 50) is None

        after = await storage.user(user.id)
        assert after is not None
        assert after.last_login is None


@pytest.mark.parametrize("driver", ["sqlite", "postgres15", "postgres18"])
async def test_logins_at_once_are_all_noted(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver)) as storage:
        user, credential = await added(storage)
        made = await at_once(lambda number: storage.add_session(a_session(user, number), credential, 200))

        after = await storage.user(user.id)
        assert made == [[]] * len(made)
        assert after is not None
        assert (after.last_login, after.updated_at) == (NOW, user.updated_at)


async def test_an_imported_user_keeps_the_time() -> None:
    async with opened("memory", "sqlite://") as storage:
        user = a_user(last_login=NOW - 5)
        await storage.add_users([(user, [a_credential(user)])])

        assert await storage.user(user.id) == user


async def test_a_login_has_one_statement_that_writes() -> None:
    storage = CountingStorage()
    async with make_auth(storage, features=[Passwords(argon2=Argon2.cheap())]) as auth:
        await register(auth)
        storage.statements.clear()
        await login(auth)

    writing = [text for text in storage.statements if not text.lstrip().startswith("SELECT")]
    assert writing == [statements.ADD_SESSION["sqlite"]]


async def test_the_user_reads_it_with_the_time_of_the_last_change(clock: Clock) -> None:
    async with make_auth(clock=clock, features=[Passwords(argon2=Argon2.cheap()), Sessions(), Account()]) as auth:
        client, user_id = Client(AuthApp(auth)), await register(auth)
        never = (await auth.users.get(user_id)).last_login
        clock.move(5)
        headers = bearer(await login(auth))
        clock.move(5)
        await auth.users.set_verified(user_id)
        me = (await client.get("/me", headers=headers)).json
        export = (await client.get("/me/export", headers=headers)).json["user"]

    times = [me["created_at"], me["last_login"], me["updated_at"]]
    assert never is None
    assert [times[1] - times[0], times[2] - times[1]] == [5, 5]
    assert [export[name] for name in ("created_at", "last_login", "updated_at")] == times


@pytest.mark.parametrize("kind", ["TIMESTAMPTZ", "TIMESTAMP", "BIGINT"])
async def test_a_column_of_the_host_is_set_on_postgresql(kind: str, servers: Servers, fresh: Fresh) -> None:
    url, server = fresh("postgres15"), servers.get("postgres15")
    server.sql(table(seen=kind), url)

    async with make_auth(Postgres(url, names=OWN)) as auth:
        user_id = await register(auth)
        before = await auth.users.get(user_id)
        await login(auth)
        after = await auth.users.get(user_id)

        assert (before.last_login, after.last_login is not None) == (None, True)
        assert abs((after.last_login or 0) - auth.now()) < 60


@pytest.mark.parametrize("kind", ["TIMESTAMP", "INTEGER"])
async def test_a_column_of_the_host_is_set_on_sqlite(kind: str, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "auth.db")
    connection.execute(table(seen=kind, id="INTEGER PRIMARY KEY"))
    connection.commit()
    async with make_auth(SQLite(tmp_path / "auth.db", names=OWN)) as auth:
        user_id = await register(auth)
        await login(auth)
        after = await auth.users.get(user_id)
        [(kept,)] = connection.execute("SELECT seen FROM people").fetchall()
        connection.close()

        assert abs((after.last_login or 0) - auth.now()) < 60
        assert isinstance(kept, int if kind == "INTEGER" else str)


async def test_a_table_of_the_host_without_the_column_works(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "auth.db")
    connection.execute(table())
    connection.close()
    async with make_auth(SQLite(tmp_path / "auth.db", names=Names(users="people", own_users_table=True))) as auth:
        user_id = await register(auth)
        await login(auth)

        assert (await auth.users.get(user_id)).last_login is None


async def test_a_column_that_is_named_and_missing_is_told_at_start(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "auth.db")
    connection.execute(table())
    connection.close()
    auth = make_auth(SQLite(tmp_path / "auth.db", names=OWN))

    with pytest.raises(ValueError, match="people has no column seen: ALTER TABLE people ADD COLUMN seen BIGINT"):
        await auth.start()
    await auth.close()


async def test_tables_from_before_are_updated(tmp_path: Path) -> None:
    path = tmp_path / "auth.db"
    async with make_auth(SQLite(path)) as auth:
        user_id = await register(auth)
    connection = sqlite3.connect(path)
    for statement in (
        "DROP TRIGGER auth_sessions_added",
        "ALTER TABLE auth_users DROP COLUMN last_login_at",
        "DELETE FROM auth_migrations WHERE version = 13",
    ):
        connection.execute(statement)
    connection.commit()
    connection.close()

    async with make_auth(SQLite(path)) as auth:
        await login(auth)

        assert (await auth.users.get(user_id)).last_login is not None
