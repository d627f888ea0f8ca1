"""Calling an ASGI app in process, as cheaply as can be: what is measured is the app."""

import asyncio
import statistics
import time
from typing import Any

from benchmarks.contenders.base import Contender, Request

CHUNKS = 20


class Receive:
    """Gives the body once; who asks again waits for a disconnect that doesn't come (and is cancelled at the end)."""

    __slots__ = ("_body", "_given")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._given = False

    async def __call__(self) -> Any:
        """Give the body, then wait."""
        if self._given:
            await asyncio.get_running_loop().create_future()
        self._given = True
        return {"type": "http.request", "body": self._body, "more_body": False}


async def call(app: Any, request: Request) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Send a request; give status, body and headers of the answer."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    await app(request.scope(), Receive(request.body), send)
    answer = b"".join(message.get("body", b"") for message in messages[1:])
    return messages[0]["status"], answer, list(messages[0].get("headers", ()))


async def checked(app: Any, request: Request) -> bytes:
    """Send a request that must succeed; give the body."""
    status, body, _ = await call(app, request)
    if status >= 300:
        raise RuntimeError(f"{request.path} answered {status}: {body[:100]!r}")
    return body


async def _send(_message: Any) -> None:
    pass


async def timed_requests(app: Any, requests: list[Request]) -> float:
    """Microseconds for each request, one after the other."""
    scopes = [request.scope() for request in requests]
    started = time.perf_counter()
    for scope in scopes:
        await app(scope, Receive(b""), _send)
    return (time.perf_counter() - started) / len(scopes) * 1e6


async def timed_pair(bare: Any, app: Any, requests: list[Request]) -> tuple[float, float]:
    """Microseconds for a request to each of two apps, by turns: the machine's speed changes from second to second."""
    size = max(1, len(requests) // CHUNKS)
    chunks = [requests[first : first + size] for first in range(0, len(requests), size)]
    pairs = [(await timed_requests(bare, chunk), await timed_requests(app, chunk)) for chunk in chunks]
    without = statistics.median(first for first, _ in pairs)
    return without, without + statistics.median(second - first for first, second in pairs)


async def timed_logins(contender: Contender, count: int, flight: int, first: int) -> float:
    """Seconds for so many logins, so many at a time."""

    async def lane(lane_number: int) -> None:
        for number in range(first + lane_number, first + count, flight):
            await checked(contender.app, contender.login(number))

    started = time.perf_counter()
    await asyncio.gather(*[lane(number) for number in range(flight)])
    return time.perf_counter() - started


async def timed_refreshes(contender: Contender, answers: list[bytes], count: int, first: int) -> float:
    """Seconds for so many refreshes: each session that was answered is refreshed again and again, all at a time."""

    async def lane(lane_number: int) -> None:
        for number in range(first + lane_number, first + count, len(answers)):
            request = contender.refresh(answers[lane_number], number)
            answers[lane_number] = await checked(contender.app, request)

    started = time.perf_counter()
    await asyncio.gather(*[lane(number) for number in range(len(answers))])
    return time.perf_counter() - started
