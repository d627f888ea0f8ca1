"""Guesses at second factors, counted for a user over all sessions and pending logins (ASVS 6.3.1)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from asgi_auth.errors import AccountLockedError, InvalidCodeError
from asgi_auth.limits.rules import Limiter
from asgi_auth.model.records import Backoff
from asgi_auth.process.background import finish

#: The pauses after wrong codes.
BACKOFF = Backoff(after=10, pause=60, longest=3600, memory=86400)
#: More wrong codes than any count has.
ALL = 2**31


class FactorGuesses:
    """Counts guesses at second factors: `auth.factor_guesses`."""

    def __init__(self, limiter: Limiter, now: Callable[[], float]) -> None:
        """Take the limiter and the clock."""
        self._limiter = limiter
        self._now = now

    @asynccontextmanager
    async def guess(self, kind: str, user_id: str, on_pause: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
        """Count a guess at a factor of a user: one is wrong when the block raises InvalidCodeError.

        Guesses at one kind are counted together, and a pause shuts this kind alone: a stranger who has the password
        does not lock the owner out of the other factors. `on_pause` is called when the first pause begins. Raises
        AccountLockedError during a pause. Trouble of the server counts nothing.
        """
        key, counters = self._limiter.key("second factor", kind, user_id), self._limiter.counters

        async def end(*, wrong: bool, forgiven: int = 0) -> int:
            return await counters.end_guess(key, int(self._now()), BACKOFF, wrong=wrong, forgiven=forgiven)

        async def take_back(result: int | None) -> None:
            if result == 0:
                await end(wrong=False)

        seconds = await self._limiter.patiently(
            key, lambda now: counters.begin_guess(key, now, BACKOFF), lambda result, _: result is None, take_back
        )
        if seconds:
            raise AccountLockedError(seconds)
        try:
            yield
        except InvalidCodeError:
            if await end(wrong=True) == BACKOFF.after:
                await on_pause()
            raise
        except BaseException:
            await finish(end(wrong=False))
            raise
        await end(wrong=False, forgiven=ALL)
