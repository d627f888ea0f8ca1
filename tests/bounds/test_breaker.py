"""The circuit breaker: a silent server is asked by one call at a time, and a slow one by all."""

import asyncio
import time
from contextlib import suppress

import pytest

from asgi_auth.bounds import breaker as module
from asgi_auth.bounds.breaker import Breaker
from asgi_auth.errors import StorageUnavailableError

PATIENCE = 0.05


class Server:
    """Answers when told to."""

    def __init__(self) -> None:
        self.refused = 0
        self.breaker = Breaker(PATIENCE, self._refuse)
        self.answers = asyncio.Event()
        self.asked = 0

    def _refuse(self) -> None:
        self.refused += 1

    async def ask(self, seconds: float = 0.1) -> None:
        probe = await self.breaker.admit()
        try:
            async with asyncio.timeout(seconds):
                with self.breaker.asking():
                    self.asked += 1
                    await self.answers.wait()
        finally:
            self.breaker.leave(probe)


async def silent() -> Server:
    server = Server()
    with pytest.raises(TimeoutError):
        await server.ask()
    assert server.breaker.is_silent
    assert server.refused == 1
    return server


async def test_while_the_server_is_silent_one_call_asks_and_the_others_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "VERDICT", 0.02)
    server = await silent()
    server.asked = 0

    results = await asyncio.gather(*(server.ask(0.3) for _ in range(50)), return_exceptions=True)

    assert server.asked == 1
    assert [type(result) for result in results] == [TimeoutError] + [StorageUnavailableError] * 49


async def test_one_answer_lets_all_through_that_wait_for_it() -> None:
    server = await silent()
    calls = [asyncio.create_task(server.ask(5)) for _ in range(50)]
    await asyncio.sleep(0.02)

    server.answers.set()

    assert await asyncio.gather(*calls) == [None] * 50
    assert not server.breaker.is_silent


async def test_when_the_call_that_asks_is_cancelled_the_next_one_asks() -> None:
    server = await silent()
    gone = asyncio.create_task(server.ask(5))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    server.answers.set()

    await server.ask()

    assert not server.breaker.is_silent


async def test_an_error_is_an_answer() -> None:
    server = await silent()
    with pytest.raises(ConnectionRefusedError), server.breaker.asking():
        raise ConnectionRefusedError

    assert not server.breaker.is_silent


async def test_a_slow_server_is_not_silent() -> None:
    """Each call gives up, and yet answers have arrived meanwhile."""
    breaker = Breaker(PATIENCE)

    async def give_up() -> None:
        with breaker.asking():
            await asyncio.sleep(10)

    for _ in range(3):
        call = asyncio.create_task(give_up())
        await asyncio.sleep(2 * PATIENCE)
        breaker.answered()
        call.cancel()
        await asyncio.wait([call])

    assert not breaker.is_silent


async def test_a_call_that_gives_up_early_proves_nothing() -> None:
    breaker = Breaker(60)

    breaker.gave_up(time.monotonic() - 59)
    assert not breaker.is_silent
    breaker.gave_up(time.monotonic() - 61)
    assert breaker.is_silent


async def bounded(server: Server, answer_after: float | None, seconds: float = 5) -> float:
    """Ask with a bound that the breaker may shorten; return the seconds until the end."""
    started = time.monotonic()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds) as bound:
            probe = await server.breaker.admit(bound)
            try:
                with server.breaker.asking():
                    await asyncio.sleep(60 if answer_after is None else answer_after)
                # A second step, which takes longer than a probe may wait.
                await asyncio.sleep(4 * PATIENCE)
            finally:
                server.breaker.leave(probe)
    return time.monotonic() - started


async def test_the_call_that_asks_waits_for_a_moment_only() -> None:
    server = await silent()

    for _ in range(3):
        assert await bounded(server, None) < 1
    assert server.breaker.is_silent


async def test_once_it_has_an_answer_the_call_that_asks_has_its_full_time() -> None:
    server = await silent()

    assert await bounded(server, 0) >= 4 * PATIENCE

    assert not server.breaker.is_silent
