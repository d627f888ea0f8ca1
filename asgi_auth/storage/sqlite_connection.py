"""A SQLite connection in a thread of its own, and SQLite's errors as those of the storage contract."""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from asgi_auth.errors import StorageSetupError, StorageUnavailableError
from asgi_auth.storage.driver import ConflictError, SchemaError, ValueRefusedError
from asgi_auth.storage.sqlite_fork import ForkSafeConnection

T = TypeVar("T")
Call = tuple[Callable[[], Any], "asyncio.Future[Any]"]
MEMORY = ":memory:"

CONFLICT = (
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
)
UNAVAILABLE = (
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PROTOCOL,
)
#: A CHECK, and the type of a column of a STRICT table.
REFUSED_VALUE = {sqlite3.SQLITE_CONSTRAINT_CHECK, sqlite3.SQLITE_CONSTRAINT | (12 << 8)}
BROKEN = {
    sqlite3.SQLITE_NOTADB: "give the path of a SQLite database that is not encrypted",
    sqlite3.SQLITE_CORRUPT: "restore a backup",
}
WRONG_SCHEMA = re.compile(
    "no such (table|column)|has no column named|ON CONFLICT clause does not match|foreign key mismatch"
)


@contextmanager
def errors() -> Iterator[None]:
    """Translate SQLite's errors into those of the contract."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None) or 0
        if code in CONFLICT:
            raise ConflictError from error
        if code in REFUSED_VALUE:
            raise ValueRefusedError from error
        if code & 0xFF in UNAVAILABLE:
            raise StorageUnavailableError from error
        if code & 0xFF in BROKEN:
            raise StorageSetupError(f"{error}: {BROKEN[code & 0xFF]}") from error
        if code == sqlite3.SQLITE_ERROR and WRONG_SCHEMA.search(str(error)):
            raise SchemaError(f"the tables do not have the expected columns: {error}") from error
        raise


def is_locked(error: sqlite3.OperationalError) -> bool:
    """Return whether a statement failed because another connection holds a lock."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class Connection(sqlite3.Connection):
    """A connection that closes itself when it is no longer used: since Python 3.13, `sqlite3` would warn."""

    def __del__(self) -> None:
        """Close the file."""
        with suppress(sqlite3.Error):
            self.close()


class ThreadedConnection:
    """A SQLite connection whose calls run in one thread, one at a time, in the order in which they were made.

    The thread is a daemon: a program that ends without closing the connection does not wait for it.
    """

    def __init__(self, path: str, timeout: float) -> None:
        """Open the file. `timeout` is how many seconds a statement waits for locks of other connections."""
        self._connection = open_file(path, timeout)
        self._calls: SimpleQueue[Call | None] = SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()
        thread = threading.Thread(
            target=_serve, args=(self._connection, self._calls), name="asgi_auth SQLite", daemon=True
        )
        self._thread = thread
        thread.start()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function in the thread and return its result. A call that has begun cannot be cancelled half-way."""
        return await self._call(lambda: self._connection.run(work))

    def begin(self, work: Callable[[sqlite3.Connection], T], at_end: Callable[[], None]) -> "asyncio.Future[T]":
        """Run a function in the thread, then `at_end` there, whatever came of it. Return its result as a future."""

        def whole() -> T:
            try:
                return self._connection.run(work)
            finally:
                at_end()

        return self._call(whole)

    async def roll_back(self) -> None:
        """Roll the transaction back."""
        await self._call(self._connection.roll_back)

    def _call(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._closed:
                raise StorageUnavailableError
            self._calls.put((work, answer))
        return answer

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run a statement with `:name` values and return its rows, in one call of the thread."""
        with errors():
            return await self.run(lambda raw: raw.execute(sql, values).fetchall())

    def end(self) -> None:
        """Close the connection after the calls that were made before; returns at once."""
        with self._lock:
            if not self._closed:
                self._calls.put(None)
            self._closed = True

    def stop(self) -> None:
        """Close the connection, and wait until the thread has ended."""
        self.end()
        self._thread.join()

    async def close(self) -> None:
        """Close the connection, and wait without blocking the event loop."""
        self.end()
        await asyncio.shield(asyncio.to_thread(self._thread.join))


def open_file(path: str, timeout: float, *, read_only: bool = False) -> ForkSafeConnection:
    """Open a connection. One that may write must be set up by the caller; after a fork it is set up again."""

    def connect_again() -> sqlite3.Connection:
        raw = connect(path, timeout)
        with errors():
            (set_read_only if read_only else set_up)(raw)
        return raw

    first = connect_again if read_only else partial(connect, path, timeout)
    return ForkSafeConnection(path, first, connect_again, in_memory=path == MEMORY)


def connect(path: str, timeout: float) -> sqlite3.Connection:
    """Open a connection for any thread, with rows by column name and without implicit transactions.

    An error names the file: a relative path depends on the folder in which the process was started.
    """
    with errors():
        try:
            raw = sqlite3.connect(
                path, isolation_level=None, timeout=timeout, check_same_thread=False, factory=Connection
            )
        except sqlite3.OperationalError as error:
            error.args = (f"{error}: {Path(path).absolute()}: its folder must exist, and this process may write there",)
            raise
    raw.row_factory = sqlite3.Row
    return raw


def set_read_only(raw: sqlite3.Connection) -> None:
    """Refuse writes."""
    raw.execute("PRAGMA query_only = ON")


def set_up(raw: sqlite3.Connection) -> None:
    """Use the write-ahead log, write to the disk with each commit, and enforce foreign keys."""
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        raw.execute(f"PRAGMA {pragma}")


def settle(answer: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    """Set the result or the error of a future, unless its caller has been cancelled."""
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)


def _serve(connection: ForkSafeConnection, calls: "SimpleQueue[Call | None]") -> None:
    while (call := calls.get()) is not None:
        _answer(*call)
        del call  # An idle thread keeps no request alive.
    connection.close()


def _answer(work: Callable[[], Any], answer: "asyncio.Future[Any]") -> None:
    result: Any = None
    failure: BaseException | None = None
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 (it is raised in the caller)
        failure = error
    # A closed event loop accepts no answer.
    with suppress(RuntimeError):
        answer.get_loop().call_soon_threadsafe(settle, answer, result, failure)
