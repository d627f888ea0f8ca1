"""The ended sessions that a process knows: exact, in little memory, and dropped without a stop of the event loop."""

import asyncio
import tracemalloc
import uuid

import pytest

from asgi_auth.sessions import ended
from asgi_auth.sessions.ended import EndedSessions, key_of, text_of

#: Texts of the length of a UUID that are none, and ids of other shapes.
ODD = ("session-1", "", "x" * 36, "g0000000-0000-4000-8000-000000000000", f"{uuid.UUID(int=1)}0", "7" * 36)
UUIDS = ("00000000-0000-0000-0000-000000000000", "6f2c1d9e-8a54-4d0b-9c37-2b1e5f7a0c48")


@pytest.mark.parametrize("session_id", [*UUIDS, *ODD[:-1]])
def test_an_id_is_known_by_its_key_and_comes_back(session_id: str) -> None:
    known = EndedSessions()

    assert known.learn(session_id, 5)
    assert not known.learn(session_id, 6)
    assert session_id in known
    assert str(uuid.uuid4()) not in known
    assert list(known) == [session_id]
    assert text_of(key_of(session_id)) == session_id


def test_a_number_of_36_digits_is_no_uuid() -> None:
    assert key_of("7" * 36) == "7" * 36
    assert len(_known(*ODD)) == len(ODD)


def _known(*session_ids: str) -> EndedSessions:
    known = EndedSessions()
    for number, session_id in enumerate(session_ids):
        known.add(session_id, number)
    return known


def test_a_session_takes_no_more_than_120_bytes() -> None:
    known, ids = EndedSessions(), [str(uuid.uuid4()) for _ in range(20_000)]
    tracemalloc.start()
    for session_id in ids:
        known.learn(session_id, 1_700_000_000)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size / len(ids) < 120


async def test_old_ones_are_dropped_in_chunks_and_other_tasks_run_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended, "CHUNK", 10)
    known, turns = EndedSessions(), list[int]()
    for number in range(100):
        known.add(f"session-{number}", number)

    async def other() -> None:
        while len(known) > 50:
            turns.append(len(known))
            await asyncio.sleep(0)

    await asyncio.gather(known.forget(49), other())

    assert list(known) == [f"session-{number}" for number in range(50, 100)]
    assert len(turns) > 3
