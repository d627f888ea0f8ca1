"""Counters after a clock that was ahead: what it counted binds no client when it is right again."""

import msgspec
import pytest

from asgi_auth.limits.counters import Counters
from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.model.records import Backoff, Window
from asgi_auth.testing.records import NOW

DAY = 86400
WINDOW = Window("ada", 60, 2)
BACKOFF = Backoff(after=2, pause=60, longest=3600, memory=DAY)
AHEAD = [MAX_SKEW + 1, 600, 3 * DAY, 10**9]


async def guess(counters: Counters, now: int, key: str = "ada", backoff: Backoff = BACKOFF) -> int | None:
    """Guess wrong."""
    seconds = await counters.begin_guess(key, now, backoff)
    if seconds == 0:
        await counters.end_guess(key, now, backoff, wrong=True)
    return seconds


@pytest.mark.parametrize("ahead", AHEAD)
async def test_a_limit_that_was_filled_in_the_future_is_empty(counters: Counters, ahead: int) -> None:
    for _ in range(2):
        assert await counters.limit([WINDOW], NOW + ahead) is None
    assert await counters.limit([WINDOW], NOW + ahead) is not None

    assert [await counters.limit([WINDOW], NOW) for _ in range(3)] == [None, None, (0, NOW + 60)]


@pytest.mark.parametrize("ahead", AHEAD)
async def test_a_count_from_the_future_starts_again(counters: Counters, ahead: int) -> None:
    await counters.count("ada", NOW + ahead, 60)

    found = await counters.count("ada", NOW, 60)

    assert (found.count, found.expires_at) == (1, NOW + 60)


@pytest.mark.parametrize("ahead", AHEAD)
async def test_a_pause_from_the_future_does_not_bind(counters: Counters, ahead: int) -> None:
    for _ in range(2):
        await guess(counters, NOW + ahead)
    assert await guess(counters, NOW + ahead)

    assert [await guess(counters, NOW) for _ in range(3)] == [0, 0, 60]


@pytest.mark.parametrize("ahead", AHEAD)
async def test_guesses_in_flight_from_the_future_take_no_room(counters: Counters, ahead: int) -> None:
    judged = Window("eve", 60, 2, judged=True)
    for _ in range(2):
        assert await counters.begin_guess("ada", NOW + ahead, BACKOFF) == 0
        assert await counters.limit([judged], NOW + ahead) is None

    assert [await counters.begin_guess("ada", NOW, BACKOFF) for _ in range(3)] == [0, 0, None]
    assert [await counters.limit([judged], NOW) for _ in range(3)] == [None, None, (0, NOW)]


@pytest.mark.parametrize("ahead", [1, 30, MAX_SKEW])
async def test_clocks_that_differ_a_little_count_together(counters: Counters, ahead: int) -> None:
    """Otherwise an attacker would empty a limit by changing between two servers."""
    assert await counters.limit([WINDOW], NOW + ahead) is None
    assert await counters.limit([WINDOW], NOW) is None
    assert await counters.limit([WINDOW], NOW) is not None

    assert (await counters.count("bob", NOW + ahead, 60)).count == 1
    assert (await counters.count("bob", NOW, 60)).count == 2

    for now in (NOW + ahead, NOW):
        await guess(counters, now, "eve", msgspec.structs.replace(BACKOFF, pause=300))
    assert await guess(counters, NOW, "eve")
