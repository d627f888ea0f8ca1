"""The line in front of a resource: requests in progress first, new ones refused when they would end too late."""

import asyncio
import math

import pytest

from asgi_auth.bounds.deadline import Deadline
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage import waiting_line
from asgi_auth.storage.waiting_line import Pace, WaitingLine


def a_line(pace: Pace | None = None) -> tuple[WaitingLine[str], Pace, list[str]]:
    pace, back = pace or Pace(1), list[str]()
    return WaitingLine(pace, back.append), pace, back


def learned(places: int, hold: float, uses: int, span: float) -> Pace:
    """The pace of a resource that requests use so often, for so long each time."""
    pace = Pace(places)
    for _ in range(100):
        pace.began()
        for _ in range(uses):
            pace.used(hold)
        pace.ended(span)
    return pace


async def waiting(line: WaitingLine[str], *deadlines: Deadline) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(line.wait(deadline)) for deadline in deadlines]
    await asyncio.sleep(0)
    return tasks


async def test_a_request_in_progress_goes_before_a_new_one() -> None:
    line, pace, _ = a_line()
    begun = Deadline(60)
    begun.begin(pace)
    first, second, third = await waiting(line, Deadline(60), begun, Deadline(60, urgent=True))

    for value in ("a", "b", "c"):
        assert line.hand(value)

    assert [await first, await second, await third] == ["c", "a", "b"]
    assert not line.hand("no one waits")


async def test_a_new_request_that_would_end_too_late_is_refused_at_once() -> None:
    line, pace, _ = a_line(learned(places=2, hold=0.1, uses=8, span=1.0))

    # Each new request ahead takes 8 * 0.1 / 2 = 0.4 seconds, and the request itself 1 second.
    in_time = await waiting(line, Deadline(1.5), Deadline(2))
    with pytest.raises(StorageUnavailableError):
        await line.wait(Deadline(2))
    begun = Deadline(0.5)
    begun.begin(pace)
    in_time += await waiting(line, begun)

    assert [line.hand("") for _ in range(4)] == [True, True, True, False]
    await asyncio.gather(*in_time)


async def test_a_new_request_that_has_waited_too_long_is_refused_when_its_turn_comes() -> None:
    line, _, _ = a_line(learned(places=1, hold=0.01, uses=1, span=1.0))
    late, in_time = await waiting(line, late_soon := Deadline(1.05), Deadline(60))
    late_soon.postpone(-0.5)

    assert line.hand("served")

    assert await in_time == "served"
    with pytest.raises(StorageUnavailableError):
        await late


async def test_when_the_pace_drops_the_end_of_the_line_is_refused() -> None:
    line, pace, _ = a_line(learned(places=1, hold=0.01, uses=1, span=0.01))
    tasks = await waiting(line, *(Deadline(5) for _ in range(10)))
    for _ in range(100):
        pace.used(1.0)
        pace.ended(1.0)

    assert line.hand("served")

    await asyncio.sleep(0)
    assert len(line) < 9
    assert await tasks[0] == "served"
    assert tasks[-1].exception().__class__ is StorageUnavailableError
    line.refuse_all(StorageUnavailableError())
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_the_line_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_line, "MOST", 3)
    line, _, _ = a_line()
    tasks = await waiting(line, *(Deadline(60, urgent=True) for _ in range(3)))

    with pytest.raises(StorageUnavailableError):
        await line.wait(Deadline(60, urgent=True))

    line.refuse_all(ValueError("over"))
    assert [str(found) for found in await asyncio.gather(*tasks, return_exceptions=True)] == ["over"] * 3


async def test_what_was_handed_to_a_cancelled_call_comes_back() -> None:
    line, _, back = a_line()
    gone, stays = await waiting(line, Deadline(60), Deadline(60))

    line.hand("value")
    gone.cancel()
    await asyncio.wait([gone])
    stays.cancel()
    await asyncio.wait([stays])

    assert back == ["value"]
    assert len(line) == 0
    assert not line.hand("value")


async def test_nothing_is_refused_before_anything_is_known() -> None:
    pace = Pace(4)

    assert pace.wait(10_000) == 0
    assert not math.isnan(pace.span)
