"""Counters over SQL. One statement counts and returns the count, so concurrent calls cannot exceed a limit."""

from collections.abc import Sequence

from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.model.records import Counter, Window
from asgi_auth.storage.rows import counter_of, first
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import counters


class SQLCounters(Runner):
    """The methods of `Storage` for counters."""

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Insert the counter, or add one; an expired counter restarts from one."""
        values = {"key": key, "now": now, "expires_at": now + window}
        return counter_of((await self.run(counters.COUNT, values))[0])

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Count in all windows in one statement, unless one is full.

        Concurrent calls may pass the same check; the returned counts then show which of them exceed the limit.
        """
        keys = {f"key{number}": window.key for number, window in enumerate(windows)}
        ends = {f"end{number}": now + window.seconds for number, window in enumerate(windows)}
        limits = {f"most{number}": window.most for number, window in enumerate(windows)}
        counted = await self.run(counters.count_all(len(windows)), {"now": now, **keys, **ends, **limits})
        allowed = 1 if counted else 0
        if not counted:
            counted = await self.run(counters.counters(len(windows)), {"now": now, **keys}, read=True)
        by_key = {row["key"]: row for row in counted}
        for number, window in enumerate(windows):
            row = by_key.get(window.key)
            latest = now + window.seconds + MAX_SKEW
            if row is not None and row["count"] >= window.most + allowed and row["expires_at"] <= latest:
                return number, row["expires_at"]
        # The full window expired between the two statements: the next call is counted.
        return None if allowed else (0, now + 1)

    async def count_with_backoff(self, key: str, now: int, *, after: int, pause: int, longest: int, memory: int) -> int:
        """Count unless a pause is in effect; otherwise read how long it lasts."""
        values = {
            "key": key,
            "now": now,
            "first": now + (pause if after <= 1 else 0),
            "after": after,
            "pause": pause,
            "doublings": (longest // pause).bit_length(),
            "longest": longest,
            "expires_at": now + memory,
        }
        if await self.run(counters.COUNT_WITH_BACKOFF, values):
            return 0
        counter = await self.counter(key, now)
        # The pause may have ended between the two statements: the next call is counted.
        return max(1, counter.free_at - now) if counter else 1

    async def counter(self, key: str, now: int) -> Counter | None:
        """Select the counter unless it has expired."""
        return first(counter_of, await self.run(counters.COUNTER, {"key": key, "now": now}, read=True))

    async def clear_counter(self, key: str) -> None:
        """Delete the counter."""
        await self.run(counters.CLEAR_COUNTER, {"key": key})
