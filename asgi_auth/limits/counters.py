"""Counters of limits: their contract, and counters in memory. By default the storage counts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, Self

from asgi_auth.model.records import Counter, Window

FEW = 1000


class Counters(Protocol):
    """The methods of `Storage` that count; `storage/base.py` says what each does.

    A call that can't count raises StorageUnavailableError, and then nothing that is limited gets through.
    """

    def transaction(self) -> AbstractAsyncContextManager["Counters"]:
        """Group several calls, where that is faster."""

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Add one to a counter and return it."""

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Count in every window, or return the full window and the time at which it starts over."""

    async def count_with_backoff(self, key: str, now: int, *, after: int, pause: int, longest: int, memory: int) -> int:
        """Count an attempt and return 0, or return the seconds that the cooldown still lasts."""

    async def counter(self, key: str, now: int) -> Counter | None:
        """Look a counter up."""

    async def clear_counter(self, key: str) -> None:
        """Forget a counter."""

    async def close(self) -> None:
        """Close the connections of the running event loop."""


class MemoryCounters:
    """Counters in the memory of this process: a restart forgets them, and other processes have their own."""

    def __init__(self) -> None:
        """Start empty."""
        self._counters: dict[str, Counter] = {}
        self._full = FEW

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Self]:
        """Atomic without a lock: no method here awaits."""
        yield self

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Add one; an expired window starts over."""
        old = await self.counter(key, now)
        expires_at = old.expires_at if old else now + window
        return self._keep(Counter(key=key, count=old.count + 1 if old else 1, free_at=0, expires_at=expires_at), now)

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Look first, count then."""
        for number, window in enumerate(windows):
            old = await self.counter(window.key, now)
            if old is not None and old.count >= window.most:
                return number, old.expires_at
        for window in windows:
            await self.count(window.key, now, window.seconds)
        return None

    async def count_with_backoff(self, key: str, now: int, *, after: int, pause: int, longest: int, memory: int) -> int:
        """Count where no pause is on."""
        old = await self.counter(key, now)
        if old is not None and old.free_at > now:
            return old.free_at - now
        count = old.count + 1 if old else 1
        # Of numbers without bounds 2 to the power of 64 is long enough.
        wait = min(pause << min(count - after, 64), longest) if count >= after else 0
        self._keep(Counter(key=key, count=count, free_at=now + wait, expires_at=now + memory), now)
        return 0

    async def counter(self, key: str, now: int) -> Counter | None:
        """Return a counter that has not expired."""
        found = self._counters.get(key)
        return found if found is not None and found.expires_at > now else None

    async def clear_counter(self, key: str) -> None:
        """Drop it."""
        self._counters.pop(key, None)

    async def close(self) -> None:
        """Nothing is open."""

    def _keep(self, counter: Counter, now: int) -> Counter:
        """Store a counter; now and then drop the expired ones."""
        self._counters[counter.key] = counter
        if len(self._counters) > self._full:
            # The keys at once, and then nothing but single steps: loops in other threads may count meanwhile.
            for key in list(self._counters):
                if self._counters.get(key, counter).expires_at <= now:
                    self._counters.pop(key, None)
            self._full = max(FEW, 2 * len(self._counters))
        return counter
