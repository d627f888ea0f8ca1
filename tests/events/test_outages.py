"""The log of an outage: its cause once, then a count; features and hooks still get every event."""

import logging

import pytest

from asgi_auth import AuthMiddleware
from asgi_auth.errors import BusyError, StorageUnavailableError
from asgi_auth.events.outages import INTERVAL, Outages
from tests.support import EMAIL, PASSWORD, Client, Clock, make_auth, who


def unavailable(cause: Exception) -> StorageUnavailableError:
    error = StorageUnavailableError()
    error.__cause__ = cause
    return error


async def test_many_requests_of_one_outage_are_one_line_with_its_cause(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    async with make_auth() as auth:
        auth.on("service", lambda event: seen.append(event.name))
        client = Client(AuthMiddleware(who, auth, mount="/auth"))

        async def full(*_: object) -> None:
            raise unavailable(OSError("database or disk is full"))

        monkeypatch.setattr(auth.storage, "user_with_credential", full)
        with caplog.at_level(logging.INFO, "asgi_auth"):
            answers = [await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD}) for _ in range(20)]

    assert {answer.status for answer in answers} == {503}
    assert caplog.text.count("OSError: database or disk is full") == 1
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 2
    assert len(seen) == 20


def test_each_cause_is_reported_once_in_an_interval(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    outages = Outages(clock)
    full, refused = unavailable(OSError("full")), unavailable(ConnectionRefusedError("refused"))

    assert [outages.note(error) for error in (full, full, refused, BusyError(), full)] == [
        True, False, True, True, False,
    ]  # fmt: skip
    clock.move(INTERVAL)
    assert outages.note(full)
    assert "2 more requests since the last report" in caplog.text


def test_a_cause_is_one_line_and_causes_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    outages = Outages(Clock())
    for number in range(1000):
        outages.note(unavailable(OSError(f"{number}\nsecond line\x1b[31m")))

    assert "second line" not in caplog.text
    assert len(outages._reported) <= 100
