"""Sessions that the transaction of a ban did not see: they end with the next look, and do not come back."""

from collections.abc import Callable

import asyncpg
import pytest

from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW, a_session, added
from tests.sessions.test_revocation import eventually
from tests.storage.conftest import SERVERS, opened
from tests.support import login, make_auth, register

Fresh = Callable[[str], str]
#: A users table of a host, without a column for the last login.
PEOPLE = """
    CREATE TABLE people (
        id TEXT PRIMARY KEY, email TEXT NOT NULL, email_canonical TEXT NOT NULL UNIQUE, email_verified BOOLEAN NOT NULL,
        status TEXT NOT NULL, roles TEXT NOT NULL, data TEXT NOT NULL, created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL, access_changed_at BIGINT NOT NULL DEFAULT 0
    )
"""


async def left_over(storage: SQLStorage, status: str = "disabled") -> str:
    """A user who is switched off, with a session that nothing has ended; return the user's id."""
    user, credential = await added(storage)
    await storage.add_session(a_session(user), credential, 9)
    # No trigger fires for a change that sets the time of the change.
    off = "UPDATE {users} SET {status} = :status, {access_changed_at} = {access_changed_at} + 1 RETURNING {id}"
    await storage.run(off, {"status": status})
    await storage.run(
        "INSERT INTO {changes} (user_id, at, expires_at) VALUES (:user_id, :now, :now)",
        {
            "user_id": user.id,
            "now": NOW,
        },
    )
    assert await revoked_at(storage) is None
    return user.id


async def revoked_at(storage: SQLStorage) -> int | None:
    session = await storage.session("session-1")
    assert session is not None
    return session.revoked_at


@pytest.mark.parametrize("status", ["disabled", "closed"])
async def test_a_look_reports_them_as_ended(storage: SQLStorage, status: str) -> None:
    before = (await storage.changes_since(NOW)).position
    user_id = await left_over(storage, status)

    for found in (await storage.changes_since(NOW), await storage.changes_since(NOW, before)):
        assert found.sessions == [("session-1", NOW)]
        assert found.inactive == [user_id]


async def test_they_end_once(storage: SQLStorage) -> None:
    user_id = await left_over(storage)

    assert await storage.end_inactive(user_id, NOW + 1) == ["session-1"]
    assert await storage.end_inactive(user_id, NOW + 2) == []

    assert await revoked_at(storage) == NOW + 1
    found = await storage.changes_since(NOW)
    assert (found.sessions, found.inactive) == ([("session-1", NOW + 1)], [])


async def test_sessions_of_an_active_user_stay(storage: SQLStorage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user), credential, 9)
    await storage.update_user(user.id, {"roles": ("admin",)}, NOW)

    assert await storage.end_inactive(user.id, NOW) == []

    found = await storage.changes_since(NOW)
    assert (found.sessions, found.inactive, await revoked_at(storage)) == ([], [], None)


async def test_they_do_not_come_back_when_the_host_switches_the_user_on(storage: SQLStorage) -> None:
    await left_over(storage)

    await storage.run("UPDATE {users} SET {status} = 'active' RETURNING {id}", {})

    assert await revoked_at(storage) is not None
    assert [item[0] for item in (await storage.changes_since(NOW)).sessions] == ["session-1"]


@pytest.mark.parametrize("driver", ["sqlite", "postgres18"])
async def test_they_do_not_come_back_when_the_library_switches_the_user_on(driver: str, fresh: Fresh) -> None:
    async with make_auth(fresh(driver)) as auth:
        user_id = await register(auth)
        pair = await login(auth)
        session_id = (await auth.authenticate(str(pair.access_token))).session_id
        await auth.storage.run(  # type: ignore[attr-defined]
            "UPDATE {users} SET {status} = 'disabled', {access_changed_at} = {access_changed_at} + 1 RETURNING {id}", {}
        )

        await auth.users.set_status(user_id, "active")

        session = await auth.storage.session(session_id)
        assert session is not None
        assert session.revoked_at is not None
        assert session_id in auth.revocation.dead
        await login(auth)
        await auth.users.set_status(user_id, "active")
        assert len(await auth.storage.sessions(user_id, 0, 0)) == 1


@pytest.mark.parametrize("driver", SERVERS)
@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
async def test_a_ban_with_an_older_snapshot_ends_a_login_from_meanwhile(
    driver: str, isolation: str, fresh: Fresh
) -> None:
    url = fresh(driver)
    host = await asyncpg.connect(url)
    await host.execute(PEOPLE)
    async with make_auth(Postgres(url, names=Names(users="people", own_users_table=True))) as auth:
        user_id = await register(auth)
        first = await login(auth)
        await host.execute(f"BEGIN ISOLATION LEVEL {isolation}; SELECT 1 FROM people")
        pairs = [first, await login(auth)]
        ids = [(await auth.authenticate(str(pair.access_token))).session_id for pair in pairs]

        await host.execute(f"UPDATE people SET status = 'disabled' WHERE id = '{user_id}'; COMMIT")

        async def are_known() -> bool:
            return set(ids) <= set(auth.revocation.dead)

        async def are_ended() -> bool:
            return not await host.fetch("SELECT 1 FROM auth_sessions WHERE revoked_at IS NULL")

        assert await eventually(are_known)
        assert await eventually(are_ended)
        await host.close()


@pytest.mark.parametrize("driver", SERVERS)
@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
async def test_a_login_from_meanwhile_that_is_noted_refuses_a_ban_with_an_older_snapshot(
    driver: str, isolation: str, fresh: Fresh
) -> None:
    url = fresh(driver)
    host = await asyncpg.connect(url)
    async with make_auth(url) as auth:
        await register(auth)
        await host.execute(f"BEGIN ISOLATION LEVEL {isolation}; SELECT 1 FROM auth_users")
        pair = await login(auth)
        ban = "UPDATE auth_users SET status = 'disabled'"

        with pytest.raises(asyncpg.SerializationError):
            await host.execute(ban)
        await auth.authenticate(str(pair.access_token))
        await host.execute(f"ROLLBACK; {ban}")

        assert not await host.fetch("SELECT 1 FROM auth_sessions WHERE revoked_at IS NULL")
    await host.close()


@pytest.mark.parametrize("driver", SERVERS)
async def test_transactions_see_what_is_committed_whatever_the_default_of_the_role(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver)) as storage:
        user, credential = await added(storage)
    connection = await asyncpg.connect(fresh(driver))
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    await connection.close()
    async with opened(driver, fresh(driver)) as storage, storage.transaction() as inside:
        await inside.user(user.id)
        await storage.add_session(a_session(user), credential, 9)

        assert await inside.end_sessions(user.id, NOW) == ["session-1"]
