"""The ended sessions that a process knows. A UUID is kept as a number, which takes half the memory of its text.

All sessions that end at once are one entry: the greatest of their ids. A session that began in the same moment may have
such an id, too. So the entry decides nothing: each session with such an id is doubtful until the database was asked.
"""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import islice, takewhile

#: The length of the text of a UUID, and that without its hyphens.
LENGTH, DIGITS = 36, 32
#: The greatest number of a UUID.
GREATEST = 2**128 - 1
#: Live sessions among those of an entry for all that are remembered.
MOST_LIVE = 10_000
#: Entries that are dropped before other tasks of the event loop have their turn.
CHUNK = 2000


def key_of(session_id: str) -> int | str:
    """Return the number of a session id that is a UUID in lowercase, and any other id as it is."""
    digits = session_id.replace("-", "")
    if len(session_id) == LENGTH and len(digits) == DIGITS:
        try:
            return int(digits, 16)
        except ValueError:
            pass
    return session_id


def text_of(key: int | str) -> str:
    """Return the session id of a key."""
    if isinstance(key, str):
        return key
    digits = f"{key:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class EndedSessions:
    """Ids of ended sessions, and when this process learned of each; iterates over the ids, in this order."""

    def __init__(self) -> None:
        """Start empty."""
        #: The times in seconds, by the keys of the sessions.
        self.times: dict[int | str, int] = {}
        #: The greatest key of the sessions that ended all at once, and when this process learned of it.
        self.up_to: int = -1
        self.swept_at: int = 0
        #: The number of times that sessions have ended all at once.
        self.sweeps: int = 0
        #: How many sweeps were known when the database called a session live, by its key.
        self._live: dict[int | str, int] = {}

    def __contains__(self, session_id: str) -> bool:
        """Tell whether a session is known to have ended, or may have ended with all others."""
        return key_of(session_id) in self.times or self.is_doubtful(session_id)

    def is_doubtful(self, session_id: str) -> bool:
        """Tell whether a session may have ended with all others: the database knows."""
        if self.up_to < 0:
            return False
        key = key_of(session_id)
        # Another id than a UUID has no place in the order.
        return (isinstance(key, str) or key <= self.up_to) and self._live.get(key, 0) < self.sweeps

    def sweep(self, up_to: str, at: int) -> None:
        """Note that all sessions with this id or a smaller one have ended."""
        key = key_of(up_to)
        self.up_to = max(self.up_to, key if isinstance(key, int) else GREATEST)
        self.swept_at = at
        self.sweeps += 1

    def found_live(self, session_id: str, sweeps: int) -> None:
        """Note that the database called a session live when so many sweeps were known."""
        if len(self._live) >= MOST_LIVE:
            # The others are asked for again.
            self._live.clear()
        self._live[key_of(session_id)] = sweeps

    def __len__(self) -> int:
        """Return the number of sessions."""
        return len(self.times)

    def __iter__(self) -> Iterator[str]:
        """Yield the ids, those first that were learned first."""
        return map(text_of, self.times)

    def learn(self, session_id: str, at: int) -> bool:
        """Add a session; return False if it is known already."""
        key = key_of(session_id)
        if key in self.times:
            return False
        self.times[key] = at
        return True

    def add(self, session_id: str, at: int) -> None:
        """Add a session, or move it to the end."""
        key = key_of(session_id)
        self.times.pop(key, None)
        self.times[key] = at

    def date(self, at: int) -> None:
        """Set one time for all sessions."""
        self.swept_at = at
        for key in list(self.times):
            self.times[key] = at

    async def forget(self, before: int) -> None:
        """Drop the sessions that are not younger than `before`, in chunks; one behind a younger one stays longer."""
        if self.swept_at <= before:
            self.up_to = -1
            self._live.clear()
        while True:
            aged = takewhile(lambda item: item[1] <= before, self.times.items())
            keys = [key for key, _ in islice(aged, CHUNK)]
            for key in keys:
                self.times.pop(key, None)
            if len(keys) < CHUNK:
                return
            await asyncio.sleep(0)


def older(times: Mapping[str, int], before: int) -> list[str]:
    """Return the keys at the front that are not younger than `before`; an entry behind a younger one stays longer."""
    return [key for key, _ in takewhile(lambda item: item[1] <= before, times.items())]
