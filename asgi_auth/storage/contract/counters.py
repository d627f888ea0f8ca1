"""The contract of a storage: counters.

A guess is counted only when it turns out to be wrong. Until then it is in flight, and takes up the room of a wrong one,
so that concurrent guesses do not get around a limit. A guess that has not ended after `model.limits.IN_FLIGHT` seconds
is dropped: its caller got no answer.
"""

from collections.abc import Sequence
from typing import Protocol

from asgi_auth.model.records import Backoff, Counter, Window


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
        counted in the others. Of many concurrent calls, at most `most` of a window return None. In a `judged` window
        the call is in flight. For a window that guesses in flight fill up, the time is `now`: try again in a moment.
        """

    async def settle(self, keys: Sequence[str], now: int, *, wrong: bool) -> None:
        """End a call that is in flight in the windows with these keys, and count it if it was `wrong`.

        A window without any call ends: the time of a call that was not wrong must not show in a later one.
        """

    async def begin_guess(self, key: str, now: int, backoff: Backoff) -> int | None:
        """Begin a guess and return 0; or, during a pause, return its remaining seconds (at least 1).

        Returns None while as many guesses are in flight as may be wrong before the next pause; try again in a moment.
        Concurrent calls let no more wrong guesses pass than consecutive calls.
        """

    async def end_guess(self, key: str, now: int, backoff: Backoff, *, wrong: bool, forgiven: int = 0) -> int:
        """End a guess that is in flight. A wrong one is counted, and may start a pause.

        Otherwise `forgiven` earlier wrong guesses are no longer counted, and a pause that needs them ends. Returns the
        number of a wrong guess, which no concurrent call gets as well, and 0 for another one.
        """

    async def counter(self, key: str, now: int) -> Counter | None:
        """Return a counter without counting; None if it does not exist or has expired. A void one is returned."""

    async def clear_counter(self, key: str) -> None:
        """Delete a counter."""
