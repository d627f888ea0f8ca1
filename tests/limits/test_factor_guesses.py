"""Guesses at second factors: wrong codes pause one kind for one user, and nothing else."""

import asyncio
from typing import Any

import pytest

from asgi_auth import Auth
from asgi_auth.errors import AccountLockedError, AuthError, InvalidCodeError, StorageUnavailableError
from asgi_auth.limits.factor_guesses import BACKOFF
from tests.support import Clock, make_auth

paused: list[str] = []


async def guess(
    auth: Auth, error: type[AuthError] | None = InvalidCodeError, kind: str = "otp", user: str = "u"
) -> str:
    async def on_pause() -> None:
        paused.append(kind)

    try:
        async with auth.factor_guesses.guess(kind, user, on_pause):
            if error is not None:
                raise error
    except AuthError as refused:
        return refused.code
    return "right"


async def test_the_tenth_wrong_code_pauses_and_tells_once() -> None:
    clock, auth = Clock(), make_auth()
    auth.factor_guesses._now = auth.limiter._now = clock
    paused.clear()
    async with auth:
        assert {await guess(auth) for _ in range(9)} == {"invalid_code"}
        assert paused == []
        assert await guess(auth) == "invalid_code"
        assert paused == ["otp"]
        with pytest.raises(AccountLockedError) as locked:
            async with auth.factor_guesses.guess("otp", "u", lambda: pytest.fail("told again")):
                pass
        assert 0 < locked.value.retry_after <= BACKOFF.pause
        assert await guess(auth, None, "hwk") == "right"
        assert await guess(auth, None, user="other") == "right"

        clock.move(BACKOFF.pause)
        assert await guess(auth) == "invalid_code"
        clock.move(BACKOFF.pause)
        assert await guess(auth) == "account_locked"
        clock.move(BACKOFF.pause)
        assert await guess(auth, None) == "right"
        assert {await guess(auth) for _ in range(9)} == {"invalid_code"}
        assert paused == ["otp"]


async def test_concurrent_wrong_codes_tell_of_a_pause_once(monkeypatch: pytest.MonkeyPatch) -> None:
    paused.clear()
    async with make_auth() as auth:
        assert {await guess(auth) for _ in range(8)} == {"invalid_code"}
        end, left, both = auth.counters.end_guess, [1, 2], asyncio.Event()

        async def end_together(*args: Any, **values: Any) -> int:
            number = await end(*args, **values)
            if left.pop() == 1:
                both.set()
            await both.wait()
            return number

        monkeypatch.setattr(auth.counters, "end_guess", end_together)

        assert list(await asyncio.gather(guess(auth), guess(auth))) == ["invalid_code"] * 2

    assert paused == ["otp"]


async def test_trouble_of_the_server_counts_nothing() -> None:
    async with make_auth() as auth:
        assert {await guess(auth, StorageUnavailableError) for _ in range(30)} == {"storage_unavailable"}
        assert await guess(auth, None) == "right"


async def test_concurrent_guesses_do_not_get_around_the_count() -> None:
    async with make_auth() as auth:
        results = await asyncio.gather(*(guess(auth, user="many") for _ in range(32)))

    assert results.count("invalid_code") == BACKOFF.after
    assert results.count("account_locked") == 32 - BACKOFF.after


async def test_a_cancelled_guess_is_not_left_in_flight() -> None:
    async with make_auth() as auth:

        async def hang() -> None:
            async with auth.factor_guesses.guess("otp", "u", lambda: asyncio.sleep(0)):
                await asyncio.sleep(60)

        for _ in range(BACKOFF.after + 2):
            task = asyncio.create_task(hang())
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.wait([task])

        assert await guess(auth, None) == "right"
