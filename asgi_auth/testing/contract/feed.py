"""The contract of a storage, executable: what processes tell each other."""

import uuid

from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_session, added


async def test_a_session_that_is_live_is_ended_again_and_told_and_another_stays(storage: Storage) -> None:
    user, credential = await added(storage)
    for number in (1, 2, 3):
        await storage.add_session(a_session(user, number), credential, 9)
    await storage.end_sessions(user.id, NOW, only="session-1")
    before = (await storage.changes_since(NOW)).position

    assert await storage.end_again(["session-1", "session-2", "unknown"], NOW + 1) == ["session-2"]
    assert await storage.end_again(["session-2", "unknown"], NOW + 2) == []

    access = [await storage.access(f"session-{number}", NOW + 3) for number in (1, 2, 3)]
    assert [each is not None and each.alive for each in access] == [False, False, True]
    told = await storage.changes_since(NOW, before)
    # A session without a row was lost with its login, and its tokens are out.
    assert sorted(told.sessions) == [("session-2", NOW + 1), ("unknown", NOW + 1)]


async def test_a_heartbeat_is_acknowledged_or_there_is_none(storage: Storage) -> None:
    beat = await storage.beat(-1)
    heartbeat = (await storage.changes_since(NOW)).heartbeat

    assert (beat is None) == (heartbeat is None)
    # A young one is not written again.
    assert await storage.beat(60) is None


async def test_several_sessions_of_a_user_end_as_one_and_each_is_told(storage: Storage) -> None:
    user, credential = await added(storage, roles=("admin",))
    for number in range(5):
        await storage.add_session(a_session(user, number, last_used_at=NOW + 9 * (number == 4)), credential, 9)
    before = (await storage.changes_since(NOW)).position
    await storage.end_sessions(user.id, NOW + 1, only="session-0")
    await storage.end_sessions(user.id, NOW + 2, keep="session-1")

    told = await storage.changes_since(NOW, before)

    assert sorted(session_id for session_id, _ in told.sessions) == [f"session-{number}" for number in (0, 2, 3, 4)]
    # Not dated before the last use of one of them.
    assert max(at for _, at in told.sessions) == NOW + 9
    assert (told.users, told.lowered, told.inactive, told.up_to) == ([], [], [], "")
    assert (await storage.changes_since(NOW, told.position)).sessions == []


async def test_a_deleted_user_takes_no_end_along(storage: Storage) -> None:
    user, credential = await added(storage)
    other, other_credential = await added(storage, 2)
    for number in (1, 2):
        await storage.add_session(a_session(user, number), credential, 9)
    await storage.add_session(a_session(other, 3), other_credential, 9)
    before = (await storage.changes_since(NOW)).position
    await storage.end_sessions(user.id, NOW)
    await storage.delete_user(user.id, NOW + 5)

    for after in (before, ""):
        told = await storage.changes_since(NOW, after)
        assert {session_id for session_id, _ in told.sessions} == {"session-1", "session-2"}


async def test_sessions_that_end_all_at_once_are_told_by_the_greatest_id(storage: Storage) -> None:
    for number in (1, 2, 3, 4):
        user, credential = await added(storage, number)
        await storage.add_session(a_session(user, number, created_at=NOW + 10 * (number == 3)), credential, 9)
    before = (await storage.changes_since(NOW)).position

    assert await storage.end_batch("", NOW, 1) == ["session-1"]
    assert await storage.end_batch("session-1", NOW, 9, up_to="session-3", begun_by=NOW + 9) == ["session-2"]
    assert await storage.end_batch("session-2", NOW, 9, up_to="session-3") == ["session-3"]
    assert await storage.end_batch("session-3", NOW, 9, up_to="session-3") == []

    told = await storage.changes_since(NOW, before)
    assert (told.sessions, told.up_to) == ([], "session-3")
    assert (await storage.changes_since(NOW)).up_to == "session-3"
    assert (await storage.changes_since(NOW, told.position)).up_to == ""
    access = await storage.access("session-4", NOW)
    assert access is not None
    assert access.alive


async def test_single_ends_that_come_packed_or_by_their_ids_are_told_once_each(storage: Storage) -> None:
    user, credential = await added(storage)
    ids = [str(uuid.UUID(int=(10 + number) << 120 | number)) for number in range(24)]
    # Only UUIDs in lowercase can come packed.
    odd = [ids[0].upper(), "session-1", "x" * 36]
    for each in (*ids, *odd, live := str(uuid.UUID(int=1))):
        await storage.add_session(a_session(user, id=each), credential, 99)
    position = (await storage.changes_since(NOW)).position
    # Apart from each other, so that each of them is the only odd one of a page.
    for each in (*ids[:6], odd[0], *ids[6:12], odd[1], *ids[12:18], odd[2], *ids[18:]):
        await storage.end_sessions(user.id, NOW, only=each)

    found, seen, more = list[str](), {position}, True
    while more:
        told = await storage.changes_since(NOW, position)
        keys = [told.packed[first : first + 16] for first in range(0, len(told.packed), 16)]
        found += [str(uuid.UUID(bytes=key)) for key in keys] + [session_id for session_id, _ in told.sessions]
        position, more = told.position, told.more
        assert position not in seen
        seen.add(position)

    assert sorted(found) == sorted([*ids, *odd])
    assert live not in found
    last = await storage.changes_since(NOW, position)
    assert (last.sessions, last.packed, last.more) == ([], b"", False)
