"""Mails beyond the limit are dropped, and counted in one line a minute."""

import asyncio
from typing import Any

import pytest

from tests.mail.deliveries import SENT, Blocking, Events, deliver, failed, until, writing


@pytest.fixture
def told() -> Events:
    return Events()


async def test_what_is_too_much_is_dropped_and_told_in_one_line(told: Events, caplog: pytest.LogCaptureFixture) -> None:
    mailer = Blocking()
    delivery = deliver(mailer, told, limit=5)

    for _ in range(25):
        delivery.send_later(writing())
    await until(lambda: told)
    mailer.go.set()
    await delivery.idle()
    delivery.send_later(writing())
    await delivery.idle()

    assert told == [failed("queue_full", "", count=20), *[SENT] * 6]
    assert caplog.text.count("20 mails were dropped: 5 mails are in flight already") == 1


async def test_what_is_dropped_within_a_minute_of_a_report_waits_for_the_next(
    told: Events, caplog: pytest.LogCaptureFixture
) -> None:
    mailer = Blocking()
    delivery = deliver(mailer, told, limit=1)
    for _ in range(3):
        delivery.send_later(writing())
    await until(lambda: told)
    for _ in range(100):
        delivery.send_later(writing())
        await asyncio.sleep(0)

    before = caplog.text.count("were dropped")
    mailer.go.set()
    await delivery.drain(5)

    assert (before, caplog.text.count("were dropped")) == (1, 2)
    assert sum(data["count"] for data in dropped(told)) == 102


def dropped(told: Events) -> list[dict[str, Any]]:
    """The data of the events about dropped mails."""
    return [data for _, data in told if data.get("reason") == "queue_full"]


async def test_what_is_dropped_while_that_is_told_is_told_as_well(
    told: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asgi_auth.mail.delivery.REPORT_INTERVAL", 0)
    mailer = Blocking()
    delivery = deliver(mailer, told, limit=1)

    again = [1]

    async def emit(name: str, **what: Any) -> None:
        if again:
            again.pop()
            delivery.send_later(writing())
        await Events.emit(told, name, **what)

    delivery._emit = emit
    for _ in range(3):
        delivery.send_later(writing())
    await until(lambda: len(told) == 2)
    mailer.go.set()
    await delivery.idle()

    assert told == [failed("queue_full", "", count=2), failed("queue_full", "", count=1), SENT]
