"""The contract of the counters behind rate limits, and counters in memory. The default counters are the storage."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, Self

import msgspec

from asgi_auth.model.limits import IN_FLIGHT, MAX_SKEW
from asgi_auth.model.records import Backoff, Counter, Window

#: The number of counters from which expired ones are removed.
CLEAN_UP_SIZE = 1000


class Counters(Protocol):
    """The methods of `asgi_auth.storage.Storage` that count. `Storage` documents the promises about concurrent calls.

    Times are whole seconds since 1970. A call that cannot count raises StorageUnavailableError: the request that is to
    be limited then fails with 503.
    """

    def transaction(self) -> AbstractAsyncContextManager["Counters"]:
        """Return a context manager that gives counters. Their calls may be committed together."""

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Add one to a counter, and return it; it expires `window` seconds after its first count."""

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Count in every window and return None; or return the index of a full window, and when it expires."""

    async def settle(self, keys: Sequence[str], now: int, *, wrong: bool) -> None:
        """End a call that is in flight in the judged windows with these keys, and count it if it was `wrong`."""

    async def begin_guess(self, key: str, now: int, backoff: Backoff) -> int | None:
        """Begin a guess and return 0; return the seconds of a pause, or None while too many guesses are in flight."""

    async def end_guess(self, key: str, now: int, backoff: Backoff, *, wrong: bool, forgiven: int = 0) -> int:
        """End a guess that is in flight: count it as `wrong` and return its number, or forgive earlier ones."""

    async def counter(self, key: str, now: int) -> Counter | None:
        """Return a counter without counting; None if it does not exist or has expired."""

    async def clear_counter(self, key: str) -> None:
        """Delete a counter."""

    async def close(self) -> None:
        """Close the connections of the running event loop."""


class MemoryCounters:
    """Counters in the memory of this process: lost with the process, and not shared with other processes."""

    def __init__(self) -> None:
        """Start without counters."""
        self._counters: dict[str, Counter] = {}
        #: The number of guesses in flight, and the time of the last one.
        self._flights: dict[str, tuple[int, int]] = {}
        self._clean_up_size = CLEAN_UP_SIZE

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Self]:
        """Give these counters: no method awaits, so calls are atomic anyway."""
        yield self

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Add one to a counter, and return it; an expired counter restarts from one."""
        old = self._live(key, now, window)
        expires_at = old.expires_at if old else now + window
        return self._store(Counter(key=key, count=old.count + 1 if old else 1, free_at=0, expires_at=expires_at), now)

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Check all windows, then count in all."""
        for number, window in enumerate(windows):
            old = self._live(window.key, now, window.seconds)
            if old is not None and old.count >= window.most:
                return number, old.expires_at
            if window.judged and (old.count if old else 0) + self._in_flight(window.key, now) >= window.most:
                return number, now
        for window in windows:
            if not window.judged:
                await self.count(window.key, now, window.seconds)
                continue
            self._begin(window.key, now)
            old = self._live(window.key, now, window.seconds)
            self._store(old or Counter(key=window.key, count=0, free_at=0, expires_at=now + window.seconds), now)
        return None

    async def settle(self, keys: Sequence[str], now: int, *, wrong: bool) -> None:
        """End the guess in each counter."""
        for key in keys:
            self._end(key)
            old = await self.counter(key, now)
            if wrong and old is not None:
                self._store(msgspec.structs.replace(old, count=old.count + 1), now)
            elif old is not None and old.count == 0 and key not in self._flights:
                await self.clear_counter(key)

    async def begin_guess(self, key: str, now: int, backoff: Backoff) -> int | None:
        """Note the guess, unless it has to wait."""
        old = self._live(key, now, backoff.memory)
        if old is not None and old.free_at > now:
            return old.free_at - now
        if self._in_flight(key, now) >= max(1, backoff.after - (old.count if old else 0)):
            return None
        self._begin(key, now)
        return 0

    async def end_guess(self, key: str, now: int, backoff: Backoff, *, wrong: bool, forgiven: int = 0) -> int:
        """Count the guess as wrong, or end it."""
        self._end(key)
        old = self._live(key, now, backoff.memory)
        count = old.count if old is not None else 0
        if wrong:
            pause = backoff.seconds(count + 1)
            free_at, expires_at = now + pause if pause else 0, now + backoff.memory
            self._store(Counter(key=key, count=count + 1, free_at=free_at, expires_at=expires_at), now)
            return count + 1
        if old is not None and forgiven:
            count = max(0, count - forgiven)
            free_at = old.free_at if count >= backoff.after else 0
            self._store(msgspec.structs.replace(old, count=count, free_at=free_at), now)
        return 0

    async def counter(self, key: str, now: int) -> Counter | None:
        """Return a counter unless it has expired."""
        counter = self._counters.get(key)
        return counter if counter is not None and counter.expires_at > now else None

    async def clear_counter(self, key: str) -> None:
        """Delete a counter."""
        self._counters.pop(key, None)
        self._flights.pop(key, None)

    async def close(self) -> None:
        """No-op: there are no connections."""

    def _live(self, key: str, now: int, window: int) -> Counter | None:
        """Return a counter unless it has expired or is void."""
        counter = self._counters.get(key)
        return counter if counter is not None and now < counter.expires_at <= now + window + MAX_SKEW else None

    def _in_flight(self, key: str, now: int) -> int:
        number, begun_at = self._flights.get(key, (0, 0))
        return number if now - IN_FLIGHT < begun_at <= now + MAX_SKEW else 0

    def _begin(self, key: str, now: int) -> None:
        self._flights[key] = (self._in_flight(key, now) + 1, now)

    def _end(self, key: str) -> None:
        number, begun_at = self._flights.pop(key, (0, 0))
        if number > 1:
            self._flights[key] = (number - 1, begun_at)

    def _store(self, counter: Counter, now: int) -> Counter:
        """Store a counter. Each time their number has doubled, remove the expired counters."""
        self._counters[counter.key] = counter
        if len(self._counters) > self._clean_up_size:
            # Event loops in other threads may count meanwhile: `list` and `pop` are atomic, an iteration is not.
            for key in list(self._counters):
                if self._counters.get(key, counter).expires_at <= now:
                    self._counters.pop(key, None)
            self._clean_up_size = max(CLEAN_UP_SIZE, 2 * len(self._counters))
        return counter
