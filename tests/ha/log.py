"""The log of the clients: what was sent, when, and what was acknowledged. The judge reads it after the fact."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

#: Requests that write. The others call the app with a token that is good (`who`), or of an ended session (`ended`).
WRITES = frozenset({"register", "login", "refresh", "logout", "change"})


class Entry(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One request and its answer. Times are seconds of the clock of the machine; status 0 is no answer at all."""

    op: str
    route: str
    process: int = 0
    sent: float
    got: float
    status: int
    code: str = ""
    email: str = ""
    session: str = ""
    #: The generation of the refresh token that was acknowledged.
    generation: int = -1
    #: When the access token expires, for `who`.
    expires: float = 0.0
    #: When the end of the session was acknowledged, for `ended`.
    since: float = 0.0

    @property
    def is_acknowledged(self) -> bool:
        """Tell whether the client may rely on it."""
        return 200 <= self.status < 300

    @property
    def is_unknown(self) -> bool:
        """Tell whether the client cannot know if it took effect."""
        return self.status == 0 or self.status >= 500


class Log:
    """A file with one entry a line."""

    def __init__(self, file: Path) -> None:
        """Make the file."""
        self.file = file
        self._opened = file.open("wb")

    def add(self, entry: Entry) -> None:
        """Append an entry. What was acknowledged is on the disk before the client goes on."""
        self._opened.write(msgspec.json.encode(entry) + b"\n")
        if entry.is_acknowledged and entry.op in WRITES:
            self._opened.flush()
            os.fsync(self._opened.fileno())

    def close(self) -> None:
        """Write everything."""
        self._opened.close()


def read(file: Path) -> list[Entry]:
    """Read a log."""
    return list(_entries(file))


def _entries(file: Path) -> Iterator[Entry]:
    decoder = msgspec.json.Decoder(Entry)
    with file.open("rb") as lines:
        for line in lines:
            yield decoder.decode(line)
