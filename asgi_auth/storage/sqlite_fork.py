"""SQLite connections that a fork does not carry into the child.

A child inherits SQLite's record of file locks, but not the locks. With an inherited connection it would use locks that
it does not hold, and another process could delete the write-ahead log that the child writes to
(https://www.sqlite.org/howtocorrupt.html, section 2.6). So files are closed before a fork, and opened again later.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar
from weakref import WeakSet

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.process.fork import leave_behind
from asgi_auth.process.log import logger

T = TypeVar("T")
#: Seconds that a fork waits for a statement that is running.
LONGEST_WAIT = 2.0


class ForkSafeConnection:
    """A connection that is closed before a fork; its next call opens the file again. Memory stays open."""

    def __init__(
        self,
        path: str,
        connect: Callable[[], sqlite3.Connection],
        connect_again: Callable[[], sqlite3.Connection],
        *,
        in_memory: bool,
    ) -> None:
        """Open the connection with `connect`, and after a fork with `connect_again`."""
        if path in _carried:
            logger.error("the process was forked during a statement on %s; this child cannot use the file", path)
            raise StorageUnavailableError
        self.path = path
        self._connect_again = connect_again
        self._raw: sqlite3.Connection | None = connect()
        self._in_use = threading.Lock()
        self._cut = False
        if not in_memory:
            _files.add(self)

    def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Call a function with the connection. Raises StorageUnavailableError if a fork has ended the transaction."""
        with self._in_use:
            if self._cut:
                raise StorageUnavailableError
            if self._raw is None:
                self._raw = self._connect_again()
            return work(self._raw)

    def roll_back(self) -> None:
        """Roll the transaction back, unless a fork has ended it."""
        with self._in_use:
            if self._raw is not None:
                self._raw.rollback()
            self._cut = False

    def close(self) -> None:
        """Close the connection, for good."""
        _files.discard(self)
        with self._in_use:
            self._close()

    def suspend(self) -> bool:
        """Close the file, and hold all calls until `resume`; a transaction is rolled back.

        Returns False when a statement runs for too long: the file is open then, and calls go on.
        """
        if not self._in_use.acquire(timeout=LONGEST_WAIT):
            return False
        self._cut = self._cut or (self._raw is not None and self._raw.in_transaction)
        self._close()
        return True

    def resume(self) -> None:
        """Let calls go on."""
        self._in_use.release()

    def abandon(self) -> None:
        """Leave a connection that is open behind, in the child: the file cannot be used there."""
        leave_behind(self._raw)
        _carried.add(self.path)

    def _close(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            with suppress(sqlite3.Error):
                raw.close()


_files: "WeakSet[ForkSafeConnection]" = WeakSet()
#: The files that were open when this process was forked.
_carried: set[str] = set()


class _Fork:
    """The fork in progress: one at a time, because threads can fork concurrently."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._suspended: list[ForkSafeConnection] = []
        self._open: list[ForkSafeConnection] = []
        self.number = 0

    def before(self) -> None:
        self.lock.acquire()
        self.number += 1
        for connection in list(_files):
            (self._suspended if connection.suspend() else self._open).append(connection)

    def in_parent(self) -> None:
        for connection in self._suspended:
            connection.resume()
        self._suspended, self._open = [], []
        self.lock.release()

    def in_child(self) -> None:
        for connection in self._open:
            connection.abandon()
        self.in_parent()


_fork = _Fork()


@contextmanager
def no_fork() -> Iterator[int]:
    """Let no fork close files in the block. Gives the number of forks: SQLite may delete a log with each of them."""
    with _fork.lock:
        yield _fork.number


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_fork.before, after_in_parent=_fork.in_parent, after_in_child=_fork.in_child)
