"""The ended sessions that a process knows. A UUID is kept as its 16 bytes, which take half the memory of its text.

They are spread over many small tables by their last bytes: a table that grows is copied, and that of a million sessions
would stop the event loop meanwhile.

All sessions that end at once are one entry: the greatest of their ids. A session that began in the same moment may have
such an id, too. So the entry decides nothing: each session with such an id is doubtful until the database was asked.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice, takewhile
from struct import Struct
from typing import TypeAlias, TypeVar

from asgi_auth.model.records import ID

#: The 16 bytes of a UUID, or another id as it is.
Key: TypeAlias = bytes | str
K = TypeVar("K", str, Key)

#: The bytes of a UUID, and the greatest of all.
SIZE = 16
GREATEST = b"\xff" * SIZE
#: One key, and several of them.
ONE, SEVERAL = Struct(f"{SIZE}s"), Struct(f"{SIZE}s" * 500)
#: The number of tables, one for each value of a byte.
TABLES = 256
#: Live sessions among those of an entry for all that are remembered.
MOST_LIVE = 10_000
#: Entries that are dropped or dated before other tasks of the event loop have their turn.
CHUNK = 2000
#: Entries that are added before other tasks have their turn.
MANY = 5000


def key_of(session_id: str) -> Key:
    """Return the bytes of a session id that is a UUID in lowercase, and any other id as it is."""
    return bytes.fromhex(session_id.replace("-", "")) if ID.fullmatch(session_id) else session_id


def keys_in(packed: bytes) -> list[bytes]:
    """Return the keys in `Changes.packed`."""
    view, whole = memoryview(packed), len(packed) - len(packed) % SEVERAL.size
    # Several at a time: a tuple for each key would take as long as the key.
    return [
        *chain.from_iterable(SEVERAL.iter_unpack(view[:whole])),
        *chain.from_iterable(ONE.iter_unpack(view[whole:])),
    ]


def text_of(key: Key) -> str:
    """Return the session id of a key."""
    if isinstance(key, str):
        return key
    digits = key.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class EndedSessions:
    """Ids of ended sessions, and when this process learned of each; iterates over the ids."""

    def __init__(self) -> None:
        """Start empty."""
        self._tables: tuple[dict[Key, int], ...] = tuple({} for _ in range(TABLES))
        #: The greatest key of the sessions that ended all at once, and when this process learned of it.
        self.up_to: bytes = b""
        self.swept_at: int = 0
        #: The number of times that sessions have ended all at once.
        self.sweeps: int = 0
        #: How many sweeps were known when the database called a session live, by its key.
        self._live: dict[Key, int] = {}
        #: The time before which all was dropped that is as old.
        self._forgotten: int | None = None

    def table_of(self, key: Key) -> dict[Key, int]:
        """Return the table that this key is in when its session has ended. It is the same one for good."""
        # The last bytes of UUIDs are random.
        return self._tables[key[-1] if isinstance(key, bytes) else hash(key) % TABLES]

    def __contains__(self, session_id: str) -> bool:
        """Tell whether a session is known to have ended, or may have ended with all others."""
        key = key_of(session_id)
        return key in self.table_of(key) or self.is_doubtful(key)

    def is_doubtful(self, key: Key) -> bool:
        """Tell whether a session may have ended with all others: the database knows."""
        if not self.up_to:
            return False
        # Another id than a UUID has no place in the order.
        return (isinstance(key, str) or key <= self.up_to) and self._live.get(key, 0) < self.sweeps

    def sweep(self, up_to: str, at: int) -> None:
        """Note that all sessions with this id or a smaller one have ended."""
        key = key_of(up_to)
        self.up_to = max(self.up_to, key if isinstance(key, bytes) else GREATEST)
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
        return sum(map(len, self._tables))

    def __iter__(self) -> Iterator[str]:
        """Yield the ids."""
        return map(text_of, chain(*self._tables))

    def keys(self) -> list[list[Key]]:
        """Return the keys by table, in each of them those first that were learned first."""
        return [list(table) for table in self._tables if table]

    def learn(self, session_id: str, at: int) -> bool:
        """Add a session; return False if it is known already."""
        key = key_of(session_id)
        table = self.table_of(key)
        if key in table:
            return False
        table[key] = at
        return True

    async def learn_many(self, keys: Sequence[bytes], at: int) -> None:
        """Add sessions, in chunks; those that are known already keep their time."""
        add = [table.setdefault for table in self._tables]
        # Most tables grow at the same time: all of them in one chunk would be as slow as one large table.
        for first in range(0, len(keys), MANY):
            for key in keys[first : first + MANY]:
                add[key[-1]](key, at)
            await asyncio.sleep(0)

    def add(self, session_id: str, at: int) -> None:
        """Add a session, or give it a new time."""
        key = key_of(session_id)
        table = self.table_of(key)
        # At the end: a table is in the order of the times.
        table.pop(key, None)
        table[key] = at

    async def date(self, at: int) -> None:
        """Set one time for all sessions, in chunks."""
        self.swept_at = at
        self._forgotten, number = None, 0
        for table in self._tables:
            table.update(dict.fromkeys(table, at))
            number += len(table)
            if number >= CHUNK:
                number = 0
                await asyncio.sleep(0)

    async def forget(self, before: int) -> None:
        """Drop the sessions that are not younger than `before`, in chunks; one behind a younger one stays longer."""
        if self.swept_at <= before:
            self.up_to = b""
            self._live.clear()
        # Nothing is too old that was not then.
        if before == self._forgotten:
            return
        number = 0
        for table in filter(None, self._tables):
            while keys := older(table, before, CHUNK):
                for key in keys:
                    table.pop(key, None)
                number += len(keys)
                if number >= CHUNK:
                    number = 0
                    await asyncio.sleep(0)
        self._forgotten = before


def older(times: Mapping[K, int], before: int, most: int | None = None) -> list[K]:
    """Return the keys at the front that are not younger than `before`; an entry behind a younger one stays longer."""
    return [key for key, _ in islice(takewhile(lambda item: item[1] <= before, times.items()), most)]
