"""The contract of the counters behind rate limits, and counters in memory. The default counters are the storage."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, Self

from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.model.records import Counter, Window

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

    async def count_with_backoff(self, key: str, now: int, *, after: int, pause: int, longest: int, memory: int) -> int:
        """Count an attempt and return 0; or, during a pause, return its remaining seconds."""

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
        for window in windows:
            await self.count(window.key, now, window.seconds)
        return None

    async def count_with_backoff(self, key: str, now: int, *, after: int, pause: int, longest: int, memory: int) -> int:
        """Count unless a pause is in effect."""
        old = self._live(key, now, memory)
        if old is not None and old.free_at > now:
            return old.free_at - now
        count = old.count + 1 if old else 1
        # A shift without a bound would compute huge integers; 64 doublings exceed any `longest`.
        wait = min(pause << min(count - after, 64), longest) if count >= after else 0
        self._store(Counter(key=key, count=count, free_at=now + wait, expires_at=now + memory), now)
        return 0

    async def counter(self, key: str, now: int) -> Counter | None:
        """Return a counter unless it has expired."""
        counter = self._counters.get(key)
        return counter if counter is not None and counter.expires_at > now else None

    async def clear_counter(self, key: str) -> None:
        """Delete a counter."""
        self._counters.pop(key, None)

    async def close(self) -> None:
        """No-op: there are no connections."""

    def _live(self, key: str, now: int, window: int) -> Counter | None:
        """Return a counter unless it has expired or is void."""
        counter = self._counters.get(key)
        return counter if counter is not None and now < counter.expires_at <= now + window + MAX_SKEW else None

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
