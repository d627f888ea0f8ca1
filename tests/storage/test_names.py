"""Names of tables and columns: prefixes, schemas, the host's own users table, and what is refused."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from asgi_auth.storage import Names
from asgi_auth.storage.names import USER_COLUMNS
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import MIGRATIONS, NOW, a_credential, a_session, a_user
from tests.storage.conftest import DRIVERS, FILES_AND_SERVERS, SERVERS, Servers, connect

Fresh = Callable[[str], str]
COLUMNS = {"id": "user_id", "email_canonical": "Login", "roles": "select", "status": "order", "data": "extra_data"}
OWN = Names(users="people", user_columns=COLUMNS, own_users_table=True)
TABLE = """
    CREATE TABLE people ("user_id" {id} PRIMARY KEY, email TEXT NOT NULL, "Login" TEXT NOT NULL UNIQUE,
        email_verified BOOLEAN NOT NULL, "order" TEXT NOT NULL, "select" TEXT NOT NULL, extra_data TEXT NOT NULL,
        created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, access_changed_at BIGINT, shoe_size INTEGER)
"""


@asynccontextmanager
async def opened(driver: str, url: str, names: Names, *statements: str) -> AsyncIterator[SQLStorage]:
    """Open a storage, and make what the host has made before it migrates."""
    storage = connect(driver, url, names)
    await storage.open()
    for statement in statements:
        async with storage.transaction() as inside:
            await inside.run(statement, {})
    yield storage
    await storage.close()


async def use(storage: SQLStorage, user_id: str) -> None:
    """Run every statement once."""
    user = a_user(id=user_id, roles=("admin",))
    credential = a_credential(user)
    assert await storage.add_user(user, credential)
    assert not await storage.add_user(a_user(id=str(uuid.UUID(int=9))))
    assert await storage.user(user_id) == user
    assert await storage.user_by_email(user.email_canonical) == user
    assert await storage.credential(user_id, "password") == credential
    assert await storage.update_user(user_id, {"status": "disabled"}, NOW) is not None
    assert await storage.add_session(a_session(user), credential, 1) is None
    assert await storage.update_user(user_id, {"status": "active"}, NOW) is not None
    assert await storage.add_session(a_session(user, 1), credential, 1) == []
    assert await storage.add_session(a_session(user, 2, created_at=NOW + 1), credential, 1) == ["session-1"]
    rotated = await storage.rotate_session("session-2", 0, now=NOW, idle_since=0)
    assert rotated is not None
    assert (rotated[0].user_id, rotated[1]) == (user_id, ("admin",))
    assert [session.user_id for session in await storage.sessions(user_id, NOW, 0)] == [user_id]
    access = await storage.access("session-2", NOW)
    assert access is not None
    assert access.alive
    assert await storage.change_credential(credential, secret="second", now=NOW) is not None
    assert [item[0] for item in (await storage.changes_since(NOW)).users] == [user_id]
    assert await storage.end_sessions(user_id, NOW) == ["session-2"]
    assert await storage.purge(NOW * 2, 9) == 2


async def test_tables_may_have_any_plain_prefix(driver: str, fresh: Fresh) -> None:
    url = fresh(driver)
    for prefix in ("", "my_app_", "select", "CamelCase", "_", "x" * 48):
        async with opened(driver, url, Names(prefix=prefix)) as storage:
            assert await storage.migrate(NOW) == MIGRATIONS

            await use(storage, "u1")


async def test_two_prefixes_share_a_database_and_nothing_else(driver: str, fresh: Fresh) -> None:
    url = fresh(driver)
    async with opened(driver, url, Names(prefix="a_")) as one, opened(driver, url, Names(prefix="b_")) as other:
        await one.migrate(NOW)
        await other.migrate(NOW)

        await one.add_user(a_user())

        assert await other.user("user-1") is None


@pytest.mark.parametrize("driver", [*SERVERS, "databases-postgres15"])
async def test_tables_may_stand_in_a_schema(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver), Names(schema="Order")) as storage:
        assert await storage.migrate(NOW) == MIGRATIONS
        assert await storage.migrate(NOW) == []

        await use(storage, "u1")


@pytest.mark.parametrize("driver", SERVERS)
async def test_a_schema_that_another_role_made_is_used(driver: str, fresh: Fresh, servers: Servers) -> None:
    url = fresh(driver)
    server = servers.get(driver)
    server.sql("CREATE SCHEMA auth", url)

    async with opened(driver, url, Names(schema="auth")) as storage:
        assert await storage.migrate(NOW) == MIGRATIONS

    tables = server.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'auth'", url)
    assert tables == "12"


@pytest.mark.parametrize("driver", ["sqlite", "memory", "databases-sqlite"])
def test_sqlite_has_no_schemas(driver: str, fresh: Fresh) -> None:
    with pytest.raises(ValueError, match="prefix"):
        connect(driver, fresh(driver), Names(schema="auth"))


async def test_the_users_table_may_be_the_hosts_own(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver), OWN, TABLE.format(id="TEXT")) as storage:
        assert await storage.migrate(NOW) == MIGRATIONS

        await use(storage, "u1")


async def test_the_key_of_the_hosts_own_table_may_be_a_uuid(driver: str, fresh: Fresh) -> None:
    names = Names(users="people", user_columns=COLUMNS, own_users_table=True, id_type="UUID")

    async with opened(driver, fresh(driver), names, TABLE.format(id="UUID")) as storage:
        assert await storage.migrate(NOW) == MIGRATIONS

        await use(storage, str(uuid.uuid4()))


async def test_a_session_of_a_disabled_user_is_not_rotated_for_the_sake_of_another(driver: str, fresh: Fresh) -> None:
    """The host's column `user_id` must not be taken for that of the session."""
    async with opened(driver, fresh(driver), OWN, TABLE.format(id="TEXT")) as storage:
        await storage.migrate(NOW)
        user = a_user()
        await storage.add_user(user, a_credential(user))
        await storage.add_user(a_user(2, roles=("admin",)))
        await storage.add_session(a_session(user), a_credential(user), 1)
        await storage.update_user(user.id, {"status": "disabled"}, NOW)

        assert await storage.rotate_session("session-1", 0, now=NOW, idle_since=0) is None


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_migrations_leave_the_hosts_own_table_alone(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver), OWN, TABLE.format(id="TEXT")) as storage:
        await storage.migrate(NOW)

        assert len(await storage.run("SELECT shoe_size FROM people", {}, read=True)) == 0
        with pytest.raises(ValueError, match="auth_users"):
            await storage.run("SELECT 1 FROM auth_users", {}, read=True)


async def test_a_missing_column_is_named_when_migrating(driver: str, fresh: Fresh) -> None:
    url, table = fresh(driver), [TABLE.format(id="TEXT")]
    for column in USER_COLUMNS:
        names = Names(users="people", user_columns={**COLUMNS, column: "missing"}, own_users_table=True)
        async with opened(driver, url, names, *table) as storage:
            with pytest.raises(ValueError, match="missing"):
                await storage.migrate(NOW)
        table = [] if driver != "memory" else table


async def test_a_missing_users_table_is_named_when_migrating(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver), OWN) as storage:
        with pytest.raises(ValueError, match="people"):
            await storage.migrate(NOW)


async def test_addresses_that_are_not_unique_are_refused_when_migrating(driver: str, fresh: Fresh) -> None:
    table = TABLE.format(id="TEXT").replace("UNIQUE", "")

    async with opened(driver, fresh(driver), OWN, table) as storage:
        with pytest.raises(ValueError, match="ON CONFLICT"):
            await storage.migrate(NOW)


@pytest.mark.parametrize("driver", SERVERS)
async def test_a_key_of_another_type_is_refused_when_migrating(driver: str, fresh: Fresh) -> None:
    names = Names(users="people", user_columns=COLUMNS, own_users_table=True, id_type="TEXT")

    async with opened(driver, fresh(driver), names, TABLE.format(id="UUID")) as storage:
        with pytest.raises(ValueError, match="id_type='UUID'"):
            await storage.migrate(NOW)


async def test_tables_that_are_not_there_yet_are_named(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver), Names()) as storage:
        with pytest.raises(ValueError, match="auth_users"):
            await storage.user("u1")


@pytest.mark.parametrize(
    "name",
    ['a"b', "a;b", "a b", "a-b", "a.b", "a\x00b", "a\n", "ä", "1a", "a'--", "{id}", ":id", "$1", "x" * 49],
)
@pytest.mark.parametrize("where", ["prefix", "schema", "users", "user_columns"])
def test_whatever_is_no_plain_identifier_is_refused(name: str, where: str) -> None:
    value: Any = {"email": name} if where == "user_columns" else name

    with pytest.raises(ValueError, match="identifier"):
        Names(**{where: value})


def test_other_mistakes_are_refused() -> None:
    with pytest.raises(ValueError, match="users table: shoe; the library has id, email, email_canonical, "):
        Names(user_columns={"shoe": "shoe"})
    with pytest.raises(ValueError, match="TEXT, UUID, BIGINT or INTEGER"):
        Names(id_type="TEXT); DROP TABLE x; --")
    with pytest.raises(ValueError, match="have the same name: email"):
        Names(user_columns={"status": "Email"})
    with pytest.raises(ValueError, match="reserved by the database"):
        Names(schema="pg_temp")
    with pytest.raises(ValueError, match="reserved by the database"):
        Names(prefix="sqlite_")


def test_drivers_are_all_named_once() -> None:
    assert len(set(DRIVERS)) == 7
