"""Counters over SQL. One statement counts and returns the count, so concurrent calls cannot exceed a limit."""

from collections.abc import Sequence

from asgi_auth.model.limits import IN_FLIGHT, MAX_SKEW
from asgi_auth.model.records import Backoff, Counter, Window
from asgi_auth.storage.rows import Row, counter_of, first
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
        units = {f"unit{number}": counters.FLIGHT if window.judged else 1 for number, window in enumerate(windows)}
        times = {"now": now, "stale": now - IN_FLIGHT}
        counted = await self.run(counters.count_all(len(windows)), times | keys | ends | limits | units)
        allowed = 1 if counted else 0
        if not counted:
            counted = await self.run(counters.counters(len(windows)), {"now": now, **keys}, read=True)
        by_key = {row["key"]: row for row in counted}
        for number, window in enumerate(windows):
            row = by_key.get(window.key)
            expires_at = _full_until(row, window, now, allowed) if row is not None else None
            if expires_at is not None:
                if allowed:
                    await self.settle([item.key for item in windows if item.judged], now, wrong=False)
                return number, expires_at
        if allowed:
            return None
        # The full window expired, or has room again, since the first statement: the next call is counted.
        judged = [number for number, window in enumerate(windows) if window.judged]
        return (judged[0], now) if judged else (0, now + 1)

    async def settle(self, keys: Sequence[str], now: int, *, wrong: bool) -> None:
        """Update all counters in one statement."""
        values = {f"key{number}": key for number, key in enumerate(sorted(keys))}
        if values:
            await self.run(counters.settle(len(keys)), {"now": now, "wrong": int(wrong), **values})

    async def begin_guess(self, key: str, now: int, backoff: Backoff) -> int | None:
        """Count a guess in flight, unless it has to wait; otherwise read why."""
        expires_at = now + backoff.memory
        values = {"key": key, "now": now, "after": backoff.after, "expires_at": expires_at}
        if await self.run(counters.BEGIN_GUESS, values | {"stale": expires_at - IN_FLIGHT}):
            return 0
        counter = await self.counter(key, now)
        return counter.free_at - now if counter is not None and counter.free_at > now else None

    async def end_guess(self, key: str, now: int, backoff: Backoff, *, wrong: bool, forgiven: int = 0) -> int:
        """Count the guess as wrong, or end it, in one statement."""
        values = {"key": key, "now": now, "after": backoff.after}
        if not wrong:
            await self.run(counters.OTHER_GUESS, values | {"forgiven": forgiven})
            return 0
        bounds = {"pause": backoff.pause, "longest": backoff.longest, "expires_at": now + backoff.memory}
        pause = backoff.seconds(1)
        bounds |= {"first": now + pause if pause else 0, "doublings": (backoff.longest // backoff.pause).bit_length()}
        [row] = await self.run(counters.WRONG_GUESS, values | bounds)
        return int(row["number"])

    async def counter(self, key: str, now: int) -> Counter | None:
        """Select the counter unless it has expired."""
        return first(counter_of, await self.run(counters.COUNTER, {"key": key, "now": now}, read=True))

    async def clear_counter(self, key: str) -> None:
        """Delete the counter."""
        await self.run(counters.CLEAR_COUNTER, {"key": key})


def _full_until(row: Row, window: Window, now: int, allowed: int) -> int | None:
    """Return when a full window expires; `now` if guesses in flight fill it up, and None if it has room.

    `allowed` is 1 if the row includes the call.
    """
    if row["expires_at"] > now + window.seconds + MAX_SKEW:
        return None
    in_flight, wrong = divmod(row["count"], counters.FLIGHT)
    if wrong >= window.most + (0 if window.judged else allowed):
        return int(row["expires_at"])
    is_live = row["free_at"] > now - IN_FLIGHT
    return now if is_live and wrong + in_flight >= window.most + allowed else None
