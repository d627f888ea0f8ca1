"""The ended sessions that a process knows: exact, in little memory, and dropped without a stop of the event loop."""

import asyncio
import tracemalloc
import uuid
from collections.abc import Coroutine

import pytest

from asgi_auth.sessions import ended
from asgi_auth.sessions.ended import TABLES, EndedSessions, key_of, keys_in, text_of

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


def test_only_a_uuid_in_lowercase_is_kept_as_bytes() -> None:
    capital, signed = str(uuid.UUID(int=10)).upper(), f"+{UUIDS[0][1:]}"

    assert [key_of(each) for each in (capital, signed, f"{UUIDS[0]}\n")] == [capital, signed, f"{UUIDS[0]}\n"]
    assert capital.lower() not in _known(capital)


async def test_a_session_takes_no_more_than_120_bytes() -> None:
    known, keys = EndedSessions(), [uuid.uuid4().bytes for _ in range(100_000)]
    packed = b"".join(keys)
    del keys
    tracemalloc.start()
    await known.learn_many(keys_in(packed), 1_700_000_000)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size / len(known) < 120
    assert max(map(len, known.keys())) < 3 * len(known) / TABLES


async def test_many_are_learned_and_dated_in_chunks_keep_their_time_and_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CHUNK", "MANY"):
        monkeypatch.setattr(ended, name, 10)
    known, keys, turns = EndedSessions(), [uuid.uuid4().bytes for _ in range(100)], list[int]()

    async def counted(work: Coroutine[None, None, None]) -> int:
        working, before = asyncio.ensure_future(work), len(turns)
        while not working.done():
            turns.append(len(known))
            await asyncio.sleep(0)
        return len(turns) - before

    known.learn(text_of(keys[0]), 5)
    assert await counted(known.learn_many(keys, 9)) > 8
    assert set(known) == set(map(text_of, keys))
    await known.forget(5)
    assert set(known) == set(map(text_of, keys[1:]))
    assert await counted(known.date(7)) > 3
    await known.forget(6)
    assert len(known) == 99
    assert await counted(known.forget(7)) > 3
    assert len(known) == 0


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

    assert set(known) == {f"session-{number}" for number in range(50, 100)}
    assert len(turns) > 3
