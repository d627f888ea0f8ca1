"""Coroutines that have begun: what ends at once, what waits, and what a cancellation does not reach."""

import asyncio
from collections.abc import Awaitable

import pytest

from asgi_auth._begun import Begun


async def result(*waits: "Awaitable[object]") -> list[object]:
    """Wait for one after the other."""
    return [await each for each in waits]


async def test_what_ends_at_once_has_ended_when_it_has_begun() -> None:
    begun = Begun(result())

    assert begun.is_done
    assert await begun == []


async def test_what_waits_goes_on_where_it_is_awaited() -> None:
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    begun = Begun(result(first, asyncio.sleep(0, 2)))
    assert not begun.is_done

    asyncio.get_running_loop().call_soon(first.set_result, 1)

    assert await begun == [1, 2]


async def test_an_error_is_raised_where_it_is_awaited_and_one_at_once_where_it_begins() -> None:
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    begun = Begun(result(first))
    first.set_exception(ValueError("later"))

    with pytest.raises(ValueError, match="later"):
        await begun
    with pytest.raises(ValueError, match="later"):
        Begun(result(first))


async def test_a_cancellation_reaches_what_is_awaited() -> None:
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await Begun(result(first))

    assert first.cancelled()


async def test_what_is_spared_goes_on_in_another_task_when_its_call_is_cancelled() -> None:
    first, second = (asyncio.get_running_loop().create_future() for _ in range(2))
    begun = Begun(result(first, second))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await begun.spared()
    rest = asyncio.ensure_future(begun.rest())
    await asyncio.sleep(0)
    first.set_result(1)
    second.set_result(2)

    assert await rest == [1, 2]


async def test_a_call_that_is_cancelled_when_the_work_goes_on_is_cancelled_all_the_same() -> None:
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    begun = Begun(result(first))
    call = asyncio.ensure_future(begun.spared())
    await asyncio.sleep(0)

    first.set_result(1)
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert await begun.rest() == [1]


@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError()])
async def test_an_error_of_the_work_that_is_spared_is_that_of_the_work(error: BaseException) -> None:
    async def caught(waits_for: "Awaitable[object]") -> str:
        try:
            return str(await waits_for)
        except type(error):
            return "caught"

    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    begun = Begun(caught(first))
    if isinstance(error, asyncio.CancelledError):
        asyncio.get_running_loop().call_soon(first.cancel)
    else:
        asyncio.get_running_loop().call_soon(first.set_exception, error)

    await begun.spared()

    assert begun.is_done
    assert await begun == "caught"


@pytest.mark.parametrize("error", [ValueError("no"), asyncio.CancelledError()])
async def test_what_ends_with_an_error_has_ended(error: BaseException) -> None:
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def fails() -> None:
        await first
        raise error

    begun = Begun(fails())
    asyncio.get_running_loop().call_soon(first.set_result, 1)

    with pytest.raises(type(error)):
        await begun.spared()
    assert begun.is_done


async def test_what_is_spared_gives_others_their_turn() -> None:
    turns = 0

    async def waits() -> None:
        while turns < 3:  # noqa: ASYNC110 (another task changes what it asks for)
            await asyncio.sleep(0)

    async def others() -> None:
        nonlocal turns
        for _ in range(3):
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.ensure_future(others())
    begun = Begun(waits())
    await asyncio.wait_for(begun.spared(), 5)

    assert begun.is_done
    await other
