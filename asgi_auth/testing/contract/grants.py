"""Every sentence of the contract about the sessions of grants, which are those of clients, for every driver."""

from typing import Any

import pytest

from asgi_auth.model.records import Credential, Session, User
from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_credential, a_session, added, at_once


async def a_grant(storage: Storage, user: User, number: int = 1) -> Credential:
    """Let a client in."""
    grant = a_credential(user, id=f"grant-{number}", kind="oauth_grant", identifier=f"{user.id} {number}", secret="")
    assert await storage.add_credential(grant)
    return grant


async def let_in(storage: Storage, number: int = 10, **changes: Any) -> tuple[User, Credential, Session]:
    """Add a user with an own session, a grant, and a session of the grant."""
    user, password = await added(storage)
    assert await storage.add_session(a_session(user), password, 5) == []
    grant = await a_grant(storage, user)
    session = a_session(user, number, grant_id=grant.id, **changes)
    assert await storage.add_session(session, grant, 5) == []
    return user, grant, session


async def test_a_session_of_a_grant_comes_back_and_is_none_of_the_users_own(storage: Storage) -> None:
    user, _, session = await let_in(storage)

    assert await storage.session(session.id) == session
    assert [each.id for each in await storage.sessions(user.id, NOW, 0)] == ["session-1"]


async def test_the_sessions_of_a_grant_end_among_themselves_only(storage: Storage) -> None:
    user, grant, _ = await let_in(storage)
    other = await a_grant(storage, user, 2)
    assert await storage.add_session(a_session(user, 20, grant_id=other.id), other, 1) == []

    ended = []
    for number in range(11, 15):
        session = a_session(user, number, created_at=NOW + number, grant_id=grant.id)
        ended.append(await storage.add_session(session, grant, 2))

    assert ended == [[], ["session-10"], ["session-11"], ["session-12"]]
    password = a_credential(user)
    assert await storage.add_session(a_session(user, 2, created_at=NOW + 50), password, 1) == ["session-1"]
    for number, is_alive in ((2, True), (12, False), (13, True), (14, True), (20, True)):
        access = await storage.access(f"session-{number}", NOW + 60)
        assert access is not None
        assert access.alive is is_alive, number


async def test_concurrent_sessions_of_a_grant_stay_within_its_limit(storage: Storage) -> None:
    user, grant, _ = await let_in(storage)

    async def add(number: int) -> list[str] | None:
        session = a_session(user, 100 + number, created_at=NOW + number, grant_id=grant.id)
        return await storage.add_session(session, grant, 3)

    await at_once(add, 8)
    assert await storage.add_session(a_session(user, 200, created_at=NOW + 99, grant_id=grant.id), grant, 3) is not None

    live = [await storage.access(f"session-{number}", NOW + 99) for number in (1, 10, *range(100, 108), 200)]
    assert sum(access.alive for access in live if access) == 1 + 3


@pytest.mark.parametrize("method", ["rotate_session", "touch_session"])
async def test_a_refresh_meets_only_sessions_of_the_kind_that_it_asks_for(storage: Storage, method: str) -> None:
    user, _, session = await let_in(storage)
    refresh = getattr(storage, method)

    assert await refresh(session.id, 0, now=NOW + 1, idle_since=0) is None
    assert await refresh("session-1", 0, now=NOW + 1, idle_since=0, grant=True) is None
    assert (await storage.session(session.id), await storage.session("session-1")) == (session, a_session(user))
    assert await refresh("session-1", 0, now=NOW + 1, idle_since=0) is not None
    found = await refresh(session.id, 0, now=NOW + 1, idle_since=0, grant=True)
    assert found is not None
    assert found[0].grant_id == "grant-1"


async def test_a_session_of_a_grant_is_not_renewed(storage: Storage) -> None:
    _, _, session = await let_in(storage)

    assert await storage.renew_session(session.id, auth_time=NOW + 5, amr=("otp",), data={}, now=NOW + 5) is None
    assert await storage.session(session.id) == session


async def test_the_credential_of_a_session_of_a_grant_is_the_grant(storage: Storage) -> None:
    user, _, _ = await let_in(storage)

    with pytest.raises(ValueError, match="grant"):
        await storage.add_session(a_session(user, 3, grant_id="grant-1"), a_credential(user), 5)
    assert await storage.session("session-3") is None


async def test_the_sessions_of_one_grant_end_and_no_others(storage: Storage) -> None:
    user, _, session = await let_in(storage)
    other = await a_grant(storage, user, 2)
    await storage.add_session(a_session(user, 20, grant_id=other.id), other, 5)

    assert await storage.end_sessions(user.id, NOW, grant_id="unknown") == []
    assert await storage.end_sessions("user-2", NOW, grant_id="grant-1") == []
    assert await storage.end_sessions(user.id, NOW, grant_id="grant-1") == [session.id]
    assert [key for key, _ in (await storage.changes_since(NOW)).sessions] == [session.id]
    assert sorted(await storage.end_sessions(user.id, NOW)) == ["session-1", "session-20"]


async def test_a_session_does_not_outlive_its_grant_nor_become_an_own_one(storage: Storage) -> None:
    user, grant, session = await let_in(storage)

    assert await storage.delete_credential(user.id, grant.id) is not None

    access = await storage.access(session.id, NOW)
    assert access is not None
    assert not access.alive
    for kind in (False, True):
        assert await storage.rotate_session(session.id, 0, now=NOW, idle_since=0, grant=kind) is None
        assert await storage.touch_session(session.id, 0, now=NOW, idle_since=0, grant=kind) is None
    assert [each.id for each in await storage.sessions(user.id, NOW, 0)] == ["session-1"]
    assert await storage.end_sessions(user.id, NOW, grant_id=grant.id) == [session.id]


async def test_a_grant_that_is_withdrawn_meanwhile_leaves_no_live_session(storage: Storage) -> None:
    user, grant, _ = await let_in(storage)

    async def call(number: int) -> None:
        if number != 4:
            await storage.add_session(a_session(user, 100 + number, grant_id=grant.id), grant, 50)
            return
        async with storage.transaction() as inside:
            await inside.delete_credential(user.id, grant.id)
            await inside.end_sessions(user.id, NOW, grant_id=grant.id)

    await at_once(call, 9)

    found = [await storage.session(f"session-{100 + number}") for number in range(9)]
    assert [each.id for each in found if each is not None and each.revoked_at is None] == []
    assert await storage.add_session(a_session(user, 300, grant_id=grant.id), grant, 50) is None


async def test_a_session_of_a_grant_is_no_login_of_the_user(storage: Storage) -> None:
    user, grant, _ = await let_in(storage)
    before = await storage.user(user.id)

    await storage.add_session(a_session(user, 30, created_at=NOW + 500, grant_id=grant.id), grant, 500)

    assert await storage.user(user.id) == before
