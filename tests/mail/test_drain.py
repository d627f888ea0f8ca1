"""Draining: closing waits for mails that can still be sent. Each event loop has a separate queue."""

import asyncio
import gc
import weakref
from typing import Any

import pytest

from asgi_auth.mail import Outbox, TemporaryMailError
from tests.mail.deliveries import (
    LONG,
    SENT,
    Blocking,
    Events,
    Failing,
    deliver,
    failed,
    nothing,
    queue_of,
    until,
    writing,
)


@pytest.fixture
def told() -> Events:
    return Events()


async def test_draining_waits_for_what_can_still_be_sent(told: Events) -> None:
    mailer = Failing(TemporaryMailError("a moment"), TemporaryMailError("a moment"))
    delivery = deliver(mailer, told, delays=(0.01, 0.01))

    delivery.send_later(writing())
    await delivery.drain(10)
    await delivery.drain(10)

    assert told == [SENT]


async def test_draining_does_not_wait_for_tries_that_come_too_late(told: Events) -> None:
    mailer = Failing(*(TemporaryMailError("later") for _ in range(2)))
    delivery = deliver(mailer, told, delays=(LONG,))
    delivery.send_later(writing())
    await until(lambda: queue_of(delivery).retry_at)
    delivery.send_later(writing(purpose="magic_link"))

    async with asyncio.timeout(5):
        await delivery.drain(60)

    assert told == [failed("closed"), failed("closed", "magic_link")]


async def test_what_does_not_end_in_time_is_given_up_and_told(told: Events, caplog: pytest.LogCaptureFixture) -> None:
    mailer = Blocking()
    delivery = deliver(mailer, told, workers=1)
    for _ in range(3):
        delivery.send_later(writing())

    await delivery.drain(0.05)

    assert [event for event in told if event[1]["purpose"]] == [failed("closed")]
    assert [event for event in told if not event[1]["purpose"]] == [failed("closed", "")] * 2
    assert mailer.holding == 0
    assert "mail verify_email was not sent, closed" in caplog.text
    mailer.go.set()
    delivery.send_later(writing())
    await delivery.idle()
    assert told[-1] == SENT


async def test_dropping_is_told_again_after_a_drain_cut_it_short(told: Events) -> None:
    mailer = Blocking()
    delivery = deliver(mailer, told, limit=1)
    hang = asyncio.Event()

    async def emit(name: str, **what: Any) -> None:
        if what["data"].get("reason") == "queue_full" and not hang.is_set():
            await asyncio.Event().wait()
        await Events.emit(told, name, **what)

    delivery._emit = emit
    for _ in range(2):
        delivery.send_later(writing())
    await delivery.drain(0.02)
    hang.set()
    for _ in range(2):
        delivery.send_later(writing())
    mailer.go.set()
    await delivery.idle()

    assert failed("queue_full", "", count=1) in told


def test_each_loop_has_its_own_and_none_leaves_anything_behind(told: Events, caplog: pytest.LogCaptureFixture) -> None:
    outbox = Outbox()
    delivery = deliver(outbox, told)

    async def one() -> None:
        delivery.send_later(writing())
        await delivery.idle()

    for _ in range(3):
        asyncio.run(one())

    assert len(outbox) == 3
    assert caplog.text == ""


def test_a_loop_that_ends_without_closing_tells_of_its_mails(told: Events) -> None:
    delivery = deliver(Failing(TemporaryMailError("later")), told, delays=(LONG,))

    async def one() -> None:
        delivery.send_later(writing())
        await until(lambda: queue_of(delivery).retry_at)

    asyncio.run(one())

    assert told == [failed("closed")]


def test_a_loop_that_is_torn_down_loses_them_and_the_next_one_tells(
    told: Events, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = deliver(Failing(TemporaryMailError("later")), told, delays=(LONG,))

    async def one() -> "weakref.ref[asyncio.Task[None]]":
        delivery.send_later(writing())
        await until(lambda: queue_of(delivery).retry_at)
        [task] = queue_of(delivery).tasks
        return weakref.ref(task)

    async def other() -> None:
        delivery.send_later(nothing)
        await delivery.idle()

    loop = asyncio.new_event_loop()
    waiting = loop.run_until_complete(one())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    asyncio.run(other())
    # The loop holds the task that waits. Here, or another test would hear of its end.
    del loop
    gc.collect()

    assert "1 mails were lost" in caplog.text
    assert waiting() is None
