"""Every sentence of `asgi_auth/storage/contract/sessions.py`, for every driver."""

from unittest.mock import ANY

import pytest

from asgi_auth.model.revocations import Access, Changes
from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_session, added

HOUR = 3600


async def test_a_session_comes_back_as_it_was_added(storage: Storage) -> None:
    user, credential = await added(storage)
    session = a_session(user, amr=("pwd", "otp"), user_agent="a\tb ✓", address="2001:db8::1")

    assert await storage.add_session(session, credential, 5) == []

    assert await storage.session(session.id) == session
    assert await storage.sessions(user.id, NOW, NOW - 1) == [session]
    assert await storage.session("unknown") is None


@pytest.mark.parametrize("status", ["disabled", "closed"])
async def test_only_an_active_user_gets_a_session(storage: Storage, status: str) -> None:
    user, credential = await added(storage)
    await storage.update_user(user.id, {"status": status}, NOW)

    assert await storage.add_session(a_session(user), credential, 5) is None

    assert await storage.session("session-1") is None


async def test_no_session_comes_from_an_old_version_of_a_credential(storage: Storage) -> None:
    user, credential = await added(storage)
    changed = await storage.change_credential(credential, secret="second", now=NOW)
    assert changed is not None

    assert await storage.add_session(a_session(user, 1), credential, 5) is None
    assert await storage.add_session(a_session(user, 2), changed, 5) == []


async def test_the_oldest_sessions_over_the_limit_end(storage: Storage) -> None:
    user, credential = await added(storage)
    for number in (1, 2, 3):
        await storage.add_session(a_session(user, number, created_at=NOW + number), credential, 3)

    ended = await storage.add_session(a_session(user, 4, created_at=NOW + 4), credential, 2)

    assert sorted(ended or []) == ["session-1", "session-2"]
    assert [session.id for session in await storage.sessions(user.id, NOW, 0)] == ["session-4", "session-3"]
    assert sorted((await storage.changes_since(NOW + 4)).sessions) == [("session-1", NOW + 4), ("session-2", NOW + 4)]


async def test_dead_sessions_do_not_count_towards_the_limit(storage: Storage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user, 1), credential, 2)
    await storage.add_session(a_session(user, 2, expires_at=NOW + 1), credential, 2)
    await storage.add_session(a_session(user, 3), credential, 3)
    await storage.end_sessions(user.id, NOW, only="session-3")

    assert await storage.add_session(a_session(user, 4, created_at=NOW + 1), credential, 2) == []


async def test_the_live_sessions_are_listed_the_newest_first(storage: Storage) -> None:
    user, credential = await added(storage)
    other, password = await added(storage, 2)
    for number in (1, 2, 3):
        await storage.add_session(a_session(user, number, created_at=NOW + number), credential, 9)
    await storage.add_session(a_session(user, 4, expires_at=NOW + 10), credential, 9)
    await storage.add_session(a_session(user, 5, last_used_at=NOW - 100), credential, 9)
    await storage.add_session(a_session(other, 6), password, 9)
    await storage.end_sessions(user.id, NOW, only="session-2")

    listed = await storage.sessions(user.id, NOW + 10, NOW - 100)

    assert [session.id for session in listed] == ["session-3", "session-1"]


async def test_a_rotation_raises_the_generation_and_brings_the_roles(storage: Storage) -> None:
    user, credential = await added(storage, roles=("admin",))
    await storage.add_session(a_session(user), credential, 5)

    rotated = await storage.rotate_session("session-1", 0, now=NOW + 7, idle_since=0)

    expected = a_session(user, generation=1, rotated_at=NOW + 7, last_used_at=NOW + 7)
    assert rotated == (expected, ("admin",))
    assert await storage.session("session-1") == expected
    assert await storage.rotate_session("session-1", 0, now=NOW + 7, idle_since=0) is None
    assert await storage.rotate_session("session-1", 1, now=NOW + 8, idle_since=0) is not None


async def test_a_token_ahead_raises_its_session(storage: Storage) -> None:
    user, credential = await added(storage, roles=("admin",))
    await storage.add_session(a_session(user), credential, 5)

    assert await storage.rotate_session("session-1", 0, now=NOW, idle_since=0, ahead=True) is None
    assert await storage.rotate_session("session-1", 3, now=NOW + 7, idle_since=NOW, ahead=True) is None
    rotated = await storage.rotate_session("session-1", 3, now=NOW + 7, idle_since=0, ahead=True)
    touched = await storage.touch_session("session-1", 6, now=NOW + 8, idle_since=0, ahead=True)

    raised = a_session(user, generation=4, used_generation=3, rotated_at=NOW + 7, last_used_at=NOW + 7)
    assert rotated == (raised, ("admin",))
    raised = a_session(user, generation=6, used_generation=6, rotated_at=NOW + 7, last_used_at=NOW + 8)
    assert touched == (raised, ("admin",))
    for generation in (2, 6):
        assert await storage.rotate_session("session-1", generation, now=NOW, idle_since=0, ahead=True) is None
    await storage.end_sessions(user.id, NOW)
    assert await storage.rotate_session("session-1", 9, now=NOW, idle_since=0, ahead=True) is None


async def test_a_generation_is_used_by_its_refresh_token_or_when_it_is_recorded(storage: Storage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user), credential, 5)

    async def used() -> int:
        session = await storage.session("session-1")
        assert session is not None
        return session.used_generation

    for generation in range(3):
        await storage.rotate_session("session-1", generation, now=NOW, idle_since=0)
        assert await used() == generation
    await storage.touch_session("session-1", 3, now=NOW, idle_since=0)
    assert await used() == 3
    await storage.rotate_session("session-1", 3, now=NOW, idle_since=0)
    await storage.use_generation("session-1", 4)
    assert await used() == 4
    for generation in (0, 3, 4, 5, 10**9):
        await storage.use_generation("session-1", generation)
        assert await used() == 4
    await storage.use_generation("unknown", 1)


async def test_a_dead_session_is_not_rotated(storage: Storage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user), credential, 5)

    assert await storage.rotate_session("session-1", 0, now=NOW + HOUR, idle_since=0) is None
    assert await storage.rotate_session("session-1", 0, now=NOW, idle_since=NOW) is None
    assert await storage.rotate_session("unknown", 0, now=NOW, idle_since=0) is None
    await storage.end_sessions(user.id, NOW)
    assert await storage.rotate_session("session-1", 0, now=NOW, idle_since=0) is None


async def test_a_session_of_a_user_who_is_not_active_is_not_rotated(storage: Storage) -> None:
    user, credential = await added(storage)
    await added(storage, 2)
    await storage.add_session(a_session(user), credential, 5)
    await storage.update_user(user.id, {"status": "disabled"}, NOW)

    assert await storage.rotate_session("session-1", 0, now=NOW, idle_since=0) is None


async def test_sessions_end_one_or_all_but_one_or_all(storage: Storage) -> None:
    user, credential = await added(storage)
    other, password = await added(storage, 2)
    for number in (1, 2, 3, 4):
        await storage.add_session(a_session(user, number), credential, 9)
    await storage.add_session(a_session(other, 5), password, 9)

    assert await storage.end_sessions(user.id, NOW + 1, only="session-1") == ["session-1"]
    assert sorted(await storage.end_sessions(user.id, NOW + 2, keep="session-2")) == ["session-3", "session-4"]
    assert await storage.end_sessions(user.id, NOW + 3, only="session-5") == []
    assert await storage.end_sessions(user.id, NOW + 3) == ["session-2"]
    assert await storage.end_sessions(user.id, NOW + 4) == []

    ended = await storage.session("session-1")
    assert ended is not None
    assert ended.revoked_at == NOW + 1
    assert sorted((await storage.changes_since(NOW + 2)).sessions) == [
        ("session-2", NOW + 3),
        ("session-3", NOW + 2),
        ("session-4", NOW + 2),
    ]


async def test_access_tells_whether_session_and_user_are_alive(storage: Storage) -> None:
    user, credential = await added(storage, roles=("admin",))
    for number in (1, 2):
        await storage.add_session(a_session(user, number), credential, 5)

    assert await storage.access("unknown", NOW) is None
    assert await storage.access("session-1", NOW) == Access(user_id=user.id, alive=True, roles=("admin",))
    assert await storage.access("session-1", NOW + HOUR) == Access(user_id=user.id, alive=False, roles=("admin",))
    await storage.end_sessions(user.id, NOW, only="session-1")
    assert await storage.access("session-1", NOW) == Access(user_id=user.id, alive=False, roles=("admin",))
    await storage.update_user(user.id, {"status": "closed", "roles": ()}, NOW)
    assert await storage.access("session-2", NOW) == Access(user_id=user.id, alive=False, roles=())


async def test_nothing_has_changed_in_the_beginning(storage: Storage) -> None:
    await added(storage)

    found = await storage.changes_since(NOW)
    assert (found.sessions, found.users) == ([], [])


async def test_changes_go_by_their_order_whatever_the_clocks_say(storage: Storage) -> None:
    user, credential = await added(storage)
    for number in (1, 2, 3):
        await storage.add_session(a_session(user, number), credential, 9)
    before = (await storage.changes_since(0)).position
    await storage.end_sessions(user.id, NOW + 3 * 86400, only="session-1")
    middle = (await storage.changes_since(0)).position
    await storage.end_sessions(user.id, NOW - 3 * 86400, only="session-2")
    await storage.update_user(user.id, {"roles": ("admin",)}, NOW - 3 * 86400)
    end = (await storage.changes_since(0)).position

    late = await storage.changes_since(NOW + 10**6, middle)

    assert len({before, middle, end}) == 3
    assert [session_id for session_id, _ in (await storage.changes_since(NOW + 10**6, before)).sessions] == [
        "session-1",
        "session-2",
    ]
    assert [session_id for session_id, _ in late.sessions] == ["session-2"]
    assert [(user_id, roles) for user_id, roles, _ in late.users] == [(user.id, ("admin",))]
    assert await storage.changes_since(0, end) == Changes(position=ANY, now=ANY, heartbeat=ANY)


async def test_a_position_of_another_database_is_none(storage: Storage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user), credential, 9)
    await storage.end_sessions(user.id, NOW)

    for after in ("", "999/session-1/5", "1+2/999/", "nonsense"):
        assert [session_id for session_id, _ in (await storage.changes_since(NOW, after)).sessions] == ["session-1"]
        assert (await storage.changes_since(NOW + 1, after)).sessions == []


async def test_an_end_is_not_dated_before_the_last_use_of_the_session(storage: Storage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user), credential, 9)

    await storage.end_sessions(user.id, NOW - 3 * 86400)

    assert (await storage.changes_since(NOW)).sessions == [("session-1", NOW)]


async def test_a_process_whose_clock_is_ahead_ends_sessions_too(storage: Storage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user), credential, 9)

    assert await storage.end_sessions(user.id, NOW + 10**9) == []

    access = await storage.access("session-1", NOW)
    assert access is not None
    assert not access.alive


async def test_changes_are_purged_with_the_sessions_that_they_are_about(storage: Storage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user, expires_at=NOW + 10), credential, 9)
    await storage.add_session(a_session(user, 2), credential, 9)
    await storage.end_sessions(user.id, NOW, only="session-1")
    await storage.end_sessions(user.id, NOW, only="session-2")

    await storage.purge(NOW + 10, 9)
    kept = await storage.changes_since(0)
    await storage.purge(NOW + 11, 9)

    assert [session_id for session_id, _ in kept.sessions] == ["session-1", "session-2"]
    assert [session_id for session_id, _ in (await storage.changes_since(0)).sessions] == ["session-2"]


async def test_a_purge_deletes_a_batch_of_what_had_expired(storage: Storage) -> None:
    user, credential = await added(storage)
    for number in range(5):
        await storage.add_session(a_session(user, number, expires_at=NOW + number), credential, 9)

    assert await storage.purge(NOW + 3, 2) == 2
    assert await storage.purge(NOW + 3, 2) == 1
    assert await storage.purge(NOW + 3, 2) == 0

    assert await storage.session("session-2") is None
    assert await storage.session("session-3") is not None
