"""The contract of a storage: counters."""

from collections.abc import Sequence
from typing import Protocol

from asgi_auth.model.records import Counter, Window


class CounterStore(Protocol):
    """Stores counters. The rules of `Storage` hold for every method.

    A counter that expires more than `MAX_SKEW` seconds later than one that begins `now` is void, as if it had expired:
    the clock that counted was ahead.
    """

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Add one to a counter, and return it. Each of many concurrent calls returns another count.

        The counter expires `window` seconds after its first count, and then starts again from one.
        """

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Count once in every window and return None; or return the index of a full window, and when it expires.

        The keys of the windows differ. If a window is full, no window counts the call; a concurrent call may still be
        counted in the others. Of many concurrent calls, at most `most` of a window return None.
        """

    async def count_with_backoff(self, key: str, now: int, *, after: int, pause: int, longest: int, memory: int) -> int:
        """Count an attempt and return 0; or, during a pause, return its remaining seconds (at least 1).

        Attempt number `after` starts a pause of `pause` seconds. Each further attempt starts one twice as long as the
        last, up to `longest` seconds. The counter expires `memory` seconds after the last attempt; `memory` exceeds
        `longest`. Concurrent calls return 0 no more often than consecutive calls.
        """

    async def counter(self, key: str, now: int) -> Counter | None:
        """Return a counter without counting; None if it does not exist or has expired. A void one is returned."""

    async def clear_counter(self, key: str) -> None:
        """Delete a counter."""
