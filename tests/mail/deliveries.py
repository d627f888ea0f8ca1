"""Helpers of the delivery tests: mailers that fail or wait, letters, and the expected events."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgi_auth.mail import Delivery, Letter, Mail, Outbox, Templates
from asgi_auth.texts import Texts

ADDRESS = "ann@example.com"
SOON = (0.001, 0.001, 0.001, 0.001)
LONG = 3600.0


class Events(list[tuple[str, dict[str, Any]]]):
    """The emitted events, in order. `emit` has the signature of the event stream."""

    async def emit(self, name: str, *, user_id: str | None = None, data: dict[str, Any], outcome: str = "") -> None:
        await asyncio.sleep(0)
        more = {"user_id": user_id, "outcome": outcome}
        self.append((name, data | {key: value for key, value in more.items() if value}))


class Failing:
    """A mailer that raises the given errors, one per call, and then sends."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.outbox = Outbox()
        self.tried: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        self.tried.append(mail)
        if self.errors:
            raise self.errors.pop(0)
        await self.outbox.send(mail)


class Blocking:
    """A mailer that waits for `go` before it sends, and counts the waiting mails."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.holding = self.most = 0
        self.outbox = Outbox()

    async def send(self, mail: Mail) -> None:
        self.holding += 1
        self.most = max(self.most, self.holding)
        try:
            await self.go.wait()
        finally:
            self.holding -= 1
        await self.outbox.send(mail)


def deliver(mailer: Any, told: Events, **options: Any) -> Delivery:
    quick: dict[str, Any] = {"delays": SOON, "pause": 0}
    return Delivery(mailer, Templates(Texts(), "Shop"), told.emit, **quick | options)


def queue_of(delivery: Delivery) -> Any:
    """The queue of the running loop."""
    return delivery._queues.get()


def writing(**fields: Any) -> Callable[[], Awaitable[Letter | None]]:
    async def write() -> Letter | None:
        await asyncio.sleep(0)
        return Letter(**{"purpose": "verify_email", "to": ADDRESS, "token": "t0k3n", "user_id": "u1"} | fields)

    return write


async def nothing() -> Letter | None:
    return None


SENT = ("mail", {"purpose": "verify_email", "user_id": "u1"})


def failed(reason: str, purpose: str = "verify_email", **more: Any) -> tuple[str, dict[str, Any]]:
    return (
        "mail",
        {"outcome": "failure", "purpose": purpose, "reason": reason, **({"user_id": "u1"} if purpose else {}), **more},
    )


async def until(condition: Callable[[], Any]) -> None:
    """Let other tasks run until the condition is true."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (the internal state has no event to wait for)
            await asyncio.sleep(0.001)
