"""The place in the feed of changes from which a process reads on. It depends on no clock that can be set."""

from collections import deque

#: Seconds after which every transaction that has got its number is over: storages bound the duration of their calls.
LATE = 30.0
#: The number of changes before the first synchronization that are read again, for transactions that were open then.
MARGIN = 1000
#: Seconds between two remembered places.
STEP = 1.0


class FeedPosition:
    """Remembers which numbers were seen when. Numbers that were seen less than `LATE` seconds ago are read again."""

    def __init__(self) -> None:
        """Start before the first synchronization."""
        self._seen: deque[tuple[float, int]] = deque()
        #: The newest number that was seen; None before the first synchronization.
        self.newest: int | None = None

    def reset(self) -> None:
        """Forget the place: the next synchronization reads by time."""
        self._seen.clear()
        self.newest = None

    def note(self, at: float, number: int) -> None:
        """Note the newest number of a synchronization that began `at` this time, in seconds of the monotonic clock."""
        if not self._seen:
            self._seen.append((at, max(0, number - MARGIN)))
        if at >= self._seen[-1][0] + STEP:
            self._seen.append((at, number))
        self.newest = number

    def after(self, now: float) -> int:
        """Return the number after which to read, at a time of the monotonic clock."""
        while len(self._seen) > 1 and self._seen[1][0] <= now - LATE:
            self._seen.popleft()
        return self._seen[0][1] if self._seen else 0
