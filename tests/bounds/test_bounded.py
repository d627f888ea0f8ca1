"""`Breaker.bounded`, the one way into a storage call: the deadline, the breaker, and what counts as an answer."""

import asyncio
import time

import pytest

from asgi_auth.bounds.breaker import Breaker
from asgi_auth.bounds.deadline import Deadline, current
from asgi_auth.errors import StorageUnavailableError

PATIENCE = 0.02


async def silent() -> Breaker:
    """A breaker whose server has given no answer."""
    breaker = Breaker(PATIENCE)
    with pytest.raises(StorageUnavailableError):
        async with breaker.bounded(2 * PATIENCE, asks=True):
            await asyncio.sleep(60)
    assert breaker.is_silent
    return breaker


async def test_a_call_ends_with_its_own_time_or_with_that_of_its_request() -> None:
    breaker = Breaker(60)

    with pytest.raises(StorageUnavailableError):
        async with breaker.bounded(PATIENCE, asks=True):
            await asyncio.sleep(60)
    with Deadline(PATIENCE) as request:
        with pytest.raises(StorageUnavailableError):
            async with breaker.bounded(60, asks=True):
                await asyncio.sleep(60)
        assert request.left() == 0


async def test_a_call_without_time_does_not_begin() -> None:
    begun = False

    with Deadline(0), pytest.raises(StorageUnavailableError):
        async with Breaker(60).bounded(60, asks=True):
            begun = True

    assert not begun


async def test_outside_of_requests_the_time_of_a_call_is_its_own() -> None:
    async with Breaker(60).bounded(60, asks=True) as (deadline, _):
        assert current() is None
        assert not deadline.is_over
    assert deadline.is_over


async def test_a_timeout_of_the_work_itself_stays_what_it_is() -> None:
    with pytest.raises(TimeoutError):
        async with Breaker(60).bounded(60, asks=True):
            raise TimeoutError


async def test_the_end_of_the_block_is_an_answer() -> None:
    breaker = await silent()

    async with breaker.bounded(60, asks=True):
        pass

    assert not breaker.is_silent


async def test_an_error_of_the_server_is_an_answer() -> None:
    breaker = await silent()

    with pytest.raises(ZeroDivisionError):
        async with breaker.bounded(60, asks=True):
            raise ZeroDivisionError

    assert not breaker.is_silent


@pytest.mark.parametrize("error", [StorageUnavailableError, TimeoutError, asyncio.CancelledError])
async def test_a_call_that_did_not_reach_the_server_has_no_answer(error: type[BaseException]) -> None:
    breaker = await silent()

    with pytest.raises(error):
        async with breaker.bounded(60, asks=True):
            raise error

    assert breaker.is_silent


async def test_a_cancelled_call_that_waited_long_enough_tells_of_the_silence() -> None:
    breaker = Breaker(PATIENCE)

    async def wait() -> None:
        async with breaker.bounded(60, asks=True):
            await asyncio.sleep(60)

    call = asyncio.create_task(wait())
    await asyncio.sleep(2 * PATIENCE)
    call.cancel()
    await asyncio.wait([call])

    assert breaker.is_silent


async def test_a_block_that_notes_its_answers_itself_says_nothing_by_its_end() -> None:
    breaker = await silent()

    async with breaker.bounded(60, asks=False):
        pass
    assert breaker.is_silent

    other = Breaker(PATIENCE)
    with pytest.raises(StorageUnavailableError):
        async with other.bounded(2 * PATIENCE, asks=False):
            await asyncio.sleep(60)
    assert not other.is_silent


async def test_the_call_that_asks_a_silent_server_gives_up_early_and_lets_the_next_one_ask() -> None:
    breaker = await silent()

    for _ in range(2):
        since = time.monotonic()
        with pytest.raises(StorageUnavailableError):
            async with breaker.bounded(60, asks=True):
                await asyncio.sleep(120)
        assert time.monotonic() - since < 30
