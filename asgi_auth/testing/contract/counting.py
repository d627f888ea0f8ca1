"""Every sentence of `asgi_auth/storage/contract/counters.py`, for every driver."""

import asyncio

import msgspec
import pytest

from asgi_auth.limits.counters import Counters
from asgi_auth.model.records import Backoff, Counter, Window
from asgi_auth.storage import Storage
from asgi_auth.testing.records import CALLERS, NOW, at_once

BACKOFF = Backoff(after=3, pause=60, longest=600, memory=86400)


async def begin(counters: Counters, now: int = NOW, key: str = "ada", after: int = 3) -> int | None:
    """Begin a guess about an account, with the pauses of the tests."""
    return await counters.begin_guess(key, now, msgspec.structs.replace(BACKOFF, after=after))


async def attempt(counters: Counters, now: int, key: str = "ada", after: int = 3) -> int | None:
    """A wrong guess."""
    seconds = await begin(counters, now, key, after)
    if seconds == 0:
        await counters.end_guess(key, now, msgspec.structs.replace(BACKOFF, after=after), wrong=True)
    return seconds


def judged(most: int, key: str = "ada") -> list[Window]:
    """Return two windows, of which one counts wrong guesses only."""
    return [Window("all", 60, 99), Window(key, 60, most, judged=True)]


async def test_a_counter_counts_within_its_window_and_then_begins_anew(counters: Counters) -> None:
    counted = [await counters.count("ada", NOW + seconds, 60) for seconds in (0, 1, 59, 60, 119, 120)]

    assert [(item.count, item.expires_at - NOW) for item in counted] == [
        (1, 60), (2, 60), (3, 60), (1, 120), (2, 120), (1, 180),
    ]  # fmt: skip


async def test_counters_do_not_touch_each_other(counters: Counters) -> None:
    await counters.count("ada", NOW, 60)
    await counters.count("ada", NOW, 60)

    assert (await counters.count("bob", NOW, 60)).count == 1


async def test_looking_counts_nothing(counters: Counters) -> None:
    assert await counters.counter("ada", NOW) is None

    await counters.count("ada", NOW, 60)

    for _ in range(2):
        assert await counters.counter("ada", NOW + 59) == Counter(key="ada", count=1, free_at=0, expires_at=NOW + 60)
    assert await counters.counter("ada", NOW + 60) is None


async def test_concurrent_counts_are_exact(counters: Counters) -> None:
    counted = await at_once(lambda _: counters.count("ada", NOW, 60))

    assert sorted(item.count for item in counted) == list(range(1, CALLERS + 1))


def windows(*mosts: int) -> list[Window]:
    """Windows of different lengths and keys."""
    return [Window(f"key-{number}", 60 * (number + 1), most) for number, most in enumerate(mosts)]


async def test_several_windows_are_counted_at_once(counters: Counters) -> None:
    answers = [await counters.limit(windows(3, 5), NOW + seconds) for seconds in (0, 1, 2, 3, 60, 61, 62, 120)]

    assert answers == [None, None, None, (0, NOW + 60), None, None, (1, NOW + 120), None]


async def test_when_one_window_is_full_none_is_counted(counters: Counters) -> None:
    for _ in range(5):
        await counters.limit(windows(9, 2), NOW)

    found = [await counters.counter(f"key-{number}", NOW) for number in range(2)]

    assert [counter.count for counter in found if counter] == [2, 2]


async def test_of_many_at_once_a_window_lets_through_as_many_as_it_has_room_for(counters: Counters) -> None:
    answers = await at_once(lambda _: counters.limit(windows(99, 7, 9), NOW))

    assert answers.count(None) == 7
    assert set(answers) == {None, (1, NOW + 120)}


async def test_a_cleared_counter_begins_anew_and_others_stay(counters: Counters) -> None:
    for key in ("ada", "bob"):
        await counters.count(key, NOW, 60)

    await counters.clear_counter("ada")
    await counters.clear_counter("nobody")

    assert (await counters.count("ada", NOW, 60)).count == 1
    assert (await counters.count("bob", NOW, 60)).count == 2


async def test_a_count_is_undone_with_its_transaction(storage: Storage) -> None:
    async def count_and_fail() -> None:
        async with storage.transaction() as inside:
            assert (await inside.count("ada", NOW, 60)).count == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await count_and_fail()

    assert await storage.counter("ada", NOW) is None


async def test_pauses_double_up_to_the_longest(counters: Counters) -> None:
    now, pauses = NOW, []
    for _ in range(9):
        assert await attempt(counters, now) == 0
        counter = await counters.counter("ada", now)
        assert counter is not None
        pauses.append(max(0, counter.free_at - now))
        now = max(now, counter.free_at)

    assert pauses == [0, 0, 60, 120, 240, 480, 600, 600, 600]


async def test_an_attempt_during_a_pause_is_not_counted_and_makes_it_no_longer(counters: Counters) -> None:
    for _ in range(3):
        assert await attempt(counters, NOW) == 0

    assert [await attempt(counters, NOW + seconds) for seconds in (0, 1, 59)] == [60, 59, 1]
    assert await attempt(counters, NOW + 60) == 0
    assert await attempt(counters, NOW + 60) == 120
    assert await attempt(counters, NOW, "bob") == 0


async def test_the_first_attempt_may_begin_a_pause(counters: Counters) -> None:
    assert await attempt(counters, NOW, after=1) == 0
    assert await attempt(counters, NOW, after=1) == 60


async def test_attempts_are_forgotten_after_a_while(counters: Counters) -> None:
    for _ in range(3):
        await attempt(counters, NOW)

    assert [await attempt(counters, NOW + 86400) for _ in range(4)] == [0, 0, 0, 60]


async def test_concurrent_guesses_never_exceed_what_is_allowed(counters: Counters) -> None:
    begun = await at_once(lambda _: begin(counters))
    assert (begun.count(0), begun.count(None)) == (3, CALLERS - 3)
    assert sorted(await at_once(lambda _: counters.end_guess("ada", NOW, BACKOFF, wrong=True), 3)) == [1, 2, 3]
    assert await begin(counters) == 60

    begun = await at_once(lambda _: begin(counters, NOW + 60))
    assert (begun.count(0), begun.count(None)) == (1, CALLERS - 1)
    assert await counters.end_guess("ada", NOW + 60, BACKOFF, wrong=True) == 4
    assert await begin(counters, NOW + 60) == 120


async def test_right_guesses_are_never_counted(counters: Counters) -> None:
    for _ in range(9):
        assert await begin(counters) == 0
        assert await counters.end_guess("ada", NOW, BACKOFF, wrong=False) == 0

    assert [await attempt(counters, NOW) for _ in range(4)] == [0, 0, 0, 60]


async def test_a_right_guess_among_wrong_ones_makes_room_for_one(counters: Counters) -> None:
    await attempt(counters, NOW)
    assert [await begin(counters) for _ in range(3)] == [0, 0, None]

    await counters.end_guess("ada", NOW, BACKOFF, wrong=False)

    assert [await begin(counters) for _ in range(2)] == [0, None]


async def test_guesses_in_flight_are_dropped_after_a_minute(counters: Counters) -> None:
    assert [await begin(counters) for _ in range(4)] == [0, 0, 0, None]
    assert await begin(counters, NOW + 59) is None

    assert [await begin(counters, NOW + 60) for _ in range(4)] == [0, 0, 0, None]


async def test_wrong_guesses_may_be_forgiven(counters: Counters) -> None:
    for _ in range(2):
        await attempt(counters, NOW)
    await begin(counters)

    await counters.end_guess("ada", NOW, BACKOFF, wrong=False, forgiven=1)

    assert [await attempt(counters, NOW) for _ in range(3)] == [0, 0, 60]


async def test_a_pause_ends_when_the_guesses_that_it_needs_are_forgiven(counters: Counters) -> None:
    for _ in range(3):
        await attempt(counters, NOW)
    assert await begin(counters) == 60
    await counters.end_guess("ada", NOW, BACKOFF, wrong=False, forgiven=1)
    assert await begin(counters) == 0
    await counters.end_guess("ada", NOW, BACKOFF, wrong=False, forgiven=9)

    assert [await attempt(counters, NOW) for _ in range(4)] == [0, 0, 0, 60]


async def test_the_end_of_a_guess_that_is_unknown_by_now_counts_a_wrong_one(counters: Counters) -> None:
    await counters.end_guess("ada", NOW, BACKOFF, wrong=True)
    await counters.end_guess("bob", NOW, BACKOFF, wrong=False)

    assert [await attempt(counters, NOW) for _ in range(3)] == [0, 0, 60]
    assert [await attempt(counters, NOW, "bob") for _ in range(4)] == [0, 0, 0, 60]


async def test_a_judged_window_counts_wrong_guesses_only(counters: Counters) -> None:
    for _ in range(5):
        assert await counters.limit(judged(2), NOW) is None
        await counters.settle(["ada"], NOW, wrong=False)
    for _ in range(2):
        assert await counters.limit(judged(2), NOW) is None
        await counters.settle(["ada"], NOW, wrong=True)

    assert await counters.limit(judged(2), NOW) == (1, NOW + 60)
    found = await counters.counter("all", NOW)
    assert found is not None
    assert found.count == 7


async def test_guesses_in_flight_fill_a_judged_window_for_a_moment(counters: Counters) -> None:
    for _ in range(2):
        assert await counters.limit(judged(2), NOW) is None
    assert await counters.limit(judged(2), NOW) == (1, NOW)

    await counters.settle(["ada"], NOW, wrong=False)

    assert await counters.limit(judged(2), NOW + 1) is None
    assert await counters.limit(judged(2), NOW + 1) == (1, NOW + 1)


async def test_guesses_in_flight_in_a_window_are_dropped_after_a_minute(counters: Counters) -> None:
    hour = [Window("ada", 3600, 2, judged=True)]
    for _ in range(2):
        assert await counters.limit(hour, NOW) is None
    assert await counters.limit(hour, NOW + 59) == (0, NOW + 59)

    assert await counters.limit(hour, NOW + 60) is None
    assert await counters.limit(hour, NOW + 60) is None
    assert await counters.limit(hour, NOW + 60) == (0, NOW + 60)


async def test_of_many_guesses_at_once_a_judged_window_lets_through_as_many_as_it_has_room_for(
    counters: Counters,
) -> None:
    answers = await at_once(lambda _: counters.limit(judged(7), NOW))
    assert answers.count(None) <= 7
    assert set(answers) == {None, (1, NOW)}

    await at_once(lambda _: counters.settle(["ada"], NOW, wrong=False), answers.count(None))
    again = [await counters.limit(judged(7), NOW) for _ in range(8)]

    assert again == [None] * 7 + [(1, NOW)]


async def test_a_window_whose_only_guess_was_right_begins_again(counters: Counters) -> None:
    assert await counters.limit(judged(2), NOW) is None
    await counters.settle(["ada"], NOW + 1, wrong=False)
    assert await counters.counter("ada", NOW + 1) is None

    for _ in range(2):
        assert await counters.limit(judged(2), NOW + 30) is None
        await counters.settle(["ada"], NOW + 30, wrong=True)

    assert await counters.limit(judged(2), NOW + 30) == (1, NOW + 90)


async def test_a_right_guess_leaves_the_window_of_others_as_it_is(counters: Counters) -> None:
    for wrong in (True, False):
        assert await counters.limit(judged(2), NOW) is None
        await counters.settle(["ada"], NOW, wrong=wrong)
    assert await counters.limit(judged(2), NOW + 30) is None
    await counters.settle(["ada"], NOW + 30, wrong=True)

    assert await counters.limit(judged(2), NOW + 30) == (1, NOW + 60)


async def test_settling_after_the_window_counts_nothing(counters: Counters) -> None:
    await counters.limit(judged(2), NOW)

    await counters.settle(["ada", "nobody"], NOW + 60, wrong=True)

    assert await counters.counter("ada", NOW + 60) is None


async def test_expired_counters_are_purged_in_batches(storage: Storage) -> None:
    await asyncio.gather(*(storage.count(f"key-{number}", NOW, 60 + number) for number in range(3)))

    assert await storage.purge(NOW + 62, 1) == 1
    assert await storage.purge(NOW + 62, 9) == 1
    assert await storage.purge(NOW + 62, 9) == 0
    assert await storage.counter("key-2", NOW) is not None
