"""The deadline of a request: one for all its steps, and none for what outlives it."""

import asyncio
import time
from contextvars import copy_context

import pytest

from asgi_auth.bounds.deadline import Deadline, current, deadline, left


class Learning:
    def __init__(self) -> None:
        self.spans: list[float] = []

    def ended(self, seconds: float) -> None:
        self.spans.append(seconds)


def test_a_block_inside_a_request_has_the_deadline_of_the_request() -> None:
    assert current() is None
    with deadline(5) as outer:
        with deadline(60) as inner:
            assert inner is outer
            assert left(60) <= 5
            assert left(1) == 1
        assert current() is outer
    assert current() is None
    assert left(60) == 60


def test_a_deadline_that_has_passed_leaves_nothing() -> None:
    with Deadline(-1):
        assert left(60) == 0


def test_the_time_of_the_client_is_not_counted() -> None:
    request = Deadline(1)
    request.postpone(10)

    assert 10 < request.left() <= 11


def test_what_outlives_the_request_is_not_bounded_by_it() -> None:
    with Deadline(5):
        context = copy_context()
        assert context.run(current) is not None

    assert context.run(current) is None


def test_urgent_work_has_its_own_deadline_inside_a_request() -> None:
    with Deadline(60) as request, Deadline(1, urgent=True) as own:
        assert current() is own
        assert own.has_begun(Learning())
        assert not own.begin(Learning())
        assert not request.has_begun(Learning())


def test_a_resource_learns_how_long_it_served_a_request() -> None:
    resource = Learning()
    with Deadline(60) as request:
        assert request.begin(resource)
        assert not request.begin(resource)
        time.sleep(0.02)

    [span] = resource.spans
    assert 0.02 <= span < 10


async def test_tasks_of_a_request_share_its_deadline() -> None:
    async def ask() -> Deadline | None:
        return current()

    with Deadline(60) as request:
        found = await asyncio.gather(ask(), asyncio.create_task(ask()))

    assert found[0] is found[1] is request


def test_an_error_ends_the_request_too() -> None:
    with pytest.raises(ValueError, match="any"), Deadline(60):
        raise ValueError("any")

    assert current() is None
