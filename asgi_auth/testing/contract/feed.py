"""The contract of a storage, executable: what processes tell each other."""

from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_session, added


async def test_a_session_that_is_live_is_ended_again_and_told_and_another_stays(storage: Storage) -> None:
    user, credential = await added(storage)
    for number in (1, 2, 3):
        await storage.add_session(a_session(user, number), credential, 9)
    await storage.end_sessions(user.id, NOW, only="session-1")
    before = (await storage.changes_since(NOW)).position

    assert await storage.end_again(["session-1", "session-2", "unknown"], NOW + 1) == ["session-2"]
    assert await storage.end_again(["session-2"], NOW + 2) == []

    access = [await storage.access(f"session-{number}", NOW + 3) for number in (1, 2, 3)]
    assert [each is not None and each.alive for each in access] == [False, False, True]
    told = await storage.changes_since(NOW, before)
    assert [session_id for session_id, _ in told.sessions] == ["session-2"]


async def test_a_heartbeat_is_acknowledged_or_there_is_none(storage: Storage) -> None:
    beat = await storage.beat(-1)
    heartbeat = (await storage.changes_since(NOW)).heartbeat

    assert (beat is None) == (heartbeat is None)
    # A young one is not written again.
    assert await storage.beat(60) is None
