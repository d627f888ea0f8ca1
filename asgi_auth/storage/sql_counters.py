"""Counters over SQL: one statement counts and tells, so that no number of concurrent callers gets around it."""

from collections.abc import Sequence

from asgi_auth.model.records import Counter, Window
from asgi_auth.storage import statements
from asgi_auth.storage.rows import counter_of, first
from asgi_auth.storage.runner import Runner


class SQLCounters(Runner):
    """Keeps the part of the contract that is about counters."""

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Insert, or add one; a window that is over begins anew."""
        values = {"key": key, "now": now, "expires_at": now + window}
        return counter_of((await self.run(statements.COUNT, values))[0])

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Count in one statement, unless one is full; what was counted at the same moment is seen in the answer."""
        keys = {f"key{number}": window.key for number, window in enumerate(windows)}
        ends = {f"end{number}": now + window.seconds for number, window in enumerate(windows)}
        mosts = {f"most{number}": window.most for number, window in enumerate(windows)}
        counted = await self.run(statements.limit(len(windows)), {"now": now, **keys, **ends, **mosts})
        allowed = 1 if counted else 0
        if not counted:
            counted = await self.run(statements.counters(len(windows)), {"now": now, **keys}, read=True)
        found = {row["key"]: row for row in counted}
        for number, window in enumerate(windows):
            row = found.get(window.key)
            if row is not None and row["count"] >= window.most + allowed:
                return number, row["expires_at"]
        # A window that was full may be over by now: who asks again will see.
        return None if allowed else (0, now + 1)

    async def count_with_backoff(self, key: str, now: int, *, after: int, pause: int, longest: int, memory: int) -> int:
        """Count where no pause is on; else look how long it lasts."""
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
        if await self.run(statements.ATTEMPT, values):
            return 0
        found = await self.counter(key, now)
        # It may be over, or cleared, by now: who asks again will see.
        return max(1, found.free_at - now) if found else 1

    async def counter(self, key: str, now: int) -> Counter | None:
        """Select one whose time is not over."""
        return first(counter_of, await self.run(statements.COUNTER, {"key": key, "now": now}, read=True))

    async def clear_counter(self, key: str) -> None:
        """Delete the row."""
        await self.run(statements.CLEAR_COUNTER, {"key": key})
