"""The connections of one event loop to a SQLite database."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import cycle

from asgi_auth.bounds.breaker import Breaker
from asgi_auth.storage.sqlite_bounds import WriteTurn
from asgi_auth.storage.sqlite_connection import ThreadedConnection
from asgi_auth.storage.sqlite_file import DatabaseFile
from asgi_auth.storage.sqlite_fork import ForkSafeConnection
from asgi_auth.storage.sqlite_writer import GroupCommit


@dataclass
class LoopState:
    """The connections of one event loop. `data_version` is the last value of the PRAGMA of that name."""

    writer: ThreadedConnection
    readers: list[ThreadedConnection]
    turn: WriteTurn
    group: GroupCommit
    breaker: Breaker
    loop_connection: ForkSafeConnection | None
    file: DatabaseFile | None
    data_version: int = -1
    next_reader: Iterator[ThreadedConnection] = field(init=False)

    def __post_init__(self) -> None:
        """Take the readers in turn."""
        self.next_reader = cycle(self.readers)

    @property
    def connections(self) -> set[ThreadedConnection]:
        """The connections that have threads."""
        return {self.writer, *self.readers}


async def close_all(connections: Collection[ThreadedConnection]) -> None:
    """Close connections and wait for them; all of them end even if the wait is cancelled.

    One is closed after the others: SQLite deletes the write-ahead log with the last one. Of two that close at the same
    time, neither is the last.
    """
    if not connections:
        return
    last, *others = connections
    try:
        for connection in others:
            connection.end()
        for connection in others:
            await connection.close()
    finally:
        last.end()
    await last.close()
