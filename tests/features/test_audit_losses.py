"""Losses of audit records are counted in one line of the log a minute, whatever their number."""

import asyncio
import logging
from contextvars import ContextVar
from typing import Any

import pytest

from asgi_auth import Audit, Auth, Passwords, Sessions
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.process.rare_log import RareLog
from asgi_auth.storage.sqlite import SQLite
from tests.mail.deliveries import until
from tests.support import make_auth

request: ContextVar[str | None] = ContextVar("request")


class BrokenStorage(SQLite):
    """SQLite that takes no audit records."""

    async def add_audit_records(self, _: Any) -> None:
        raise ZeroDivisionError("no audit today")


def audited() -> Auth:
    auth = make_auth(BrokenStorage(), features=[Passwords(argon2=Argon2.cheap()), Sessions(), Audit()])
    auth[Audit].queue.pause = 0
    return auth


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


async def test_batches_that_fail_share_one_line_and_one_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async with audited() as auth:
        await fail(auth, 1)
        await until(lambda: lines_of(caplog))
        for _ in range(20):
            await fail(auth, 3)
        during = lines_of(caplog)

    assert during == ["1 audit records could not be written"]
    assert lines_of(caplog) == [*during, "60 audit records could not be written"]
    assert caplog.text.count("ZeroDivisionError: no audit today") == 2


async def fail(auth: Auth, number: int) -> None:
    """Emit events, write them in one batch, and give the log a turn of the event loop."""
    for _ in range(number):
        await auth.emit("login", user_id="u1")
    await auth[Audit].queue.flush()
    await asyncio.sleep(0.001)


async def test_trouble_is_logged_again_after_the_interval(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asgi_auth.process.rare_log.INTERVAL", 0.01)
    trouble = RareLog("%d times")

    trouble.note(2)
    trouble.note()
    await until(lambda: lines_of(caplog))
    trouble.note(4)
    await until(lambda: len(lines_of(caplog)) == 2)
    trouble.finish()

    assert lines_of(caplog) == ["3 times", "4 times"]


async def test_a_line_belongs_to_no_request(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Any] = []
    logger = logging.getLogger("asgi_auth")

    def look(_: logging.LogRecord) -> bool:
        seen.append(request.get(None))
        return True

    token = request.set("the first request")
    logger.addFilter(look)
    try:
        RareLog("%d times").note()
        await until(lambda: lines_of(caplog))
    finally:
        logger.removeFilter(look)
        request.reset(token)

    assert seen == [None]
