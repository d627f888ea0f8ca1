"""SQLite with the standard library's `sqlite3`: write-ahead log, one writer, several readers.

A commit that has returned survives a power failure (`synchronous = FULL`).
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Literal
from weakref import WeakSet

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.breaker import Breaker
from asgi_auth.bounds.deadline import current, left
from asgi_auth.errors import StorageSetupError, StorageUnavailableError
from asgi_auth.process import background
from asgi_auth.process.fork import leave_behind, renew_after_fork
from asgi_auth.sources.kinds import checks_options
from asgi_auth.storage.driver import Connection, T
from asgi_auth.storage.names import Names
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.sqlite_bounds import WriteTurn, begin
from asgi_auth.storage.sqlite_connection import MEMORY, ThreadedConnection, errors, open_file, set_up
from asgi_auth.storage.sqlite_file import DatabaseFile
from asgi_auth.storage.sqlite_state import LoopState, close_all
from asgi_auth.storage.sqlite_writer import GroupCommit

#: Seconds between two looks for commits of other processes.
POLL = 0.05
#: Seconds between two attempts to set up a connection while another one switches to the write-ahead log.
SET_UP_PAUSE = 0.02
#: Seconds of one attempt to get the lock for writing; attempts are repeated while a call has time left.
ATTEMPT = 0.1
#: Seconds that a call waits for its rollback; the rollback precedes the next transaction anyway.
ROLLBACK_TIME = 0.25


class SQLite(SQLStorage):
    """Stores everything in a SQLite file, or in memory.

    * `path`: the file, or `:memory:`. Memory is one connection for all event loops. It is lost with the process, and a
      forked child starts with empty memory.
    * `names`: the names of tables and columns; SQLite has no schemas.
    * `readers`: how many threads run the queries that read several rows.
    * `timeout`: the seconds for one call or transaction, including the wait for other writes of this process and of
      others; after that it raises StorageUnavailableError. A request has as many seconds for all its calls. While
      another process holds the lock for longer, one call waits for it, and other writes are refused at once.
    * `reads_on_loop`: whether queries for one row by its key run on the event loop's thread (the default). Such a
      query takes microseconds while the file is in the page cache, and a switch to a thread takes about ten times as
      long. A read from a slow disk stops the event loop, however: pass False if the file is on a network disk, or
      is much larger than the memory. Queries then run in the threads of the readers.
    """

    @checks_options
    def __init__(
        self,
        path: str | Path = MEMORY,
        *,
        names: Names | None = None,
        readers: int = 2,
        timeout: float = 5.0,
        reads_on_loop: bool = True,
    ) -> None:
        """Open nothing yet. Raises ValueError if `names` has a schema."""
        if names and names.schema:
            raise ValueError("SQLite has no schemas; use a prefix")
        super().__init__(SQLiteDriver(str(path), readers, timeout, reads_on_loop=reads_on_loop), names)
        #: The path of the file, or `:memory:`.
        self.path: str = str(path)


class SQLiteDriver:
    """Runs statements on SQLite. Each event loop has its own connections to a file; memory has one connection."""

    dialect: ClassVar[Literal["sqlite"]] = "sqlite"

    def __init__(self, path: str, readers: int, timeout: float, *, reads_on_loop: bool = True) -> None:
        """Open nothing yet. The parameters are those of `SQLite`."""
        self._path = path
        self._readers = readers
        self.timeout = timeout
        self._reads_on_loop = reads_on_loop and path != MEMORY
        self._loops: PerLoop[LoopState] = PerLoop(self._discard)
        self._start()
        renew_after_fork(self)

    def _start(self) -> None:
        #: The loops whose file was replaced, and which have no connections yet.
        self._reopening: WeakSet[asyncio.AbstractEventLoop] = WeakSet()
        self._memory: ThreadedConnection | None = None
        self._memory_lock = threading.Lock() if self._path == MEMORY else None
        #: Held while a loop gets its connections, or gives them up: loops of several threads share the memory.
        self._loops_lock = threading.Lock()

    def renew(self) -> None:
        """Start over in a forked child, with memory that is empty."""
        leave_behind(self._memory)
        self._start()

    async def open(self) -> None:
        """Open a writer and the readers for the running loop."""
        if self._attach([]):
            return
        connections: list[ThreadedConnection] = []
        try:
            for number in range(1 if self._path == MEMORY else 1 + self._readers):
                connections.append(ThreadedConnection(self._path, self.timeout if number else ATTEMPT))
                await self._set_up(connections[-1])
            self._attach(connections)
        finally:
            await close_all(connections)

    def _attach(self, opened: list[ThreadedConnection]) -> bool:
        """Give the running loop the shared memory, or the `opened` connections, which are then removed from the list.

        Return whether the loop has connections now. They stay as they are if another task was faster.
        """
        with self._loops_lock:
            if self._loops.get() is not None:
                return True
            if self._memory is not None:
                self._loops.set(self._state(self._memory, [self._memory]))
                return True
            if not opened:
                return False
            self._loops.set(self._state(opened[0], opened[1:] or opened[:1]))
            self._memory = opened[0] if self._path == MEMORY else None
            opened.clear()
            return True

    async def _set_up(self, connection: ThreadedConnection) -> None:
        """Set up a connection, within `timeout` seconds: a switch to the log by another one fails without a wait."""
        end = time.monotonic() + left(self.timeout)
        while True:
            try:
                with errors():
                    return await connection.run(set_up)
            except StorageSetupError:
                raise
            except StorageUnavailableError:
                if time.monotonic() > end:
                    raise
            await asyncio.sleep(SET_UP_PAUSE)

    async def close(self) -> None:
        """Close the connections of the running loop; memory is lost when the last loop closes it."""
        self._reopening.discard(asyncio.get_running_loop())
        await self._close_loop()

    async def _close_loop(self) -> None:
        with self._loops_lock:
            state = self._loops.pop()
            if state is None or (state.writer is self._memory and len(self._loops)):
                return
            self._memory = None
        if state.loop_connection is not None:
            state.loop_connection.close()
        await close_all(state.connections)

    async def read(self, sql: str, values: Mapping[str, Any], *, by_key: bool = False) -> Sequence[Mapping[str, Any]]:
        """Run a query: on the event loop's thread if it reads one row by its key, else on the next reader."""
        state = self._state_of_loop()
        if state.writer is self._memory:
            return await self.write(sql, values)
        if by_key and state.loop_connection is not None:
            # A lock that has to be waited for (rare with a write-ahead log) is waited for in a thread, below.
            with suppress(StorageUnavailableError), errors():
                return state.loop_connection.run(lambda raw: raw.execute(sql, values).fetchall())
        try:
            async with asyncio.timeout(left(self.timeout)):
                return await next(state.next_reader).fetch(sql, values)
        except TimeoutError:
            raise StorageUnavailableError from None

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement in a transaction."""
        return await self.atomically(lambda connection: connection.fetch(sql, values))

    async def atomically(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a transaction on the writer; those that wait together share one COMMIT."""
        state = self._state_of_loop()
        with errors():
            async with state.breaker.bounded(self.timeout, asks=True) as (deadline, _):
                result = await state.group.run(work, deadline)
        await self._check_file(state)
        return result

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Hold the writer and, from the start, SQLite's write lock: no later statement can fail for lack of it."""
        state = self._state_of_loop()
        async with state.breaker.bounded(self.timeout, asks=True) as (_, bound), state.turn():
            try:
                await begin(state.writer, state.breaker)
                if current() is None:
                    # Only waits are bounded outside of requests.
                    bound.reschedule(None)
                yield state.writer
                await state.writer.fetch("COMMIT", {})
                await self._check_file(state)
            except BaseException:
                # Calls run in their order: even if this one is cancelled, the rollback precedes the next transaction.
                rollback = background.begin(state.writer.roll_back(), "rollback")
                await asyncio.wait([rollback], timeout=ROLLBACK_TIME)
                raise

    async def lock_migrations(self, connection: Connection, key: str) -> None:
        """No-op: the transaction holds SQLite's write lock already."""

    async def announce(self, channel: str, connection: Connection | None) -> None:
        """No-op: other processes see that the file has changed."""

    async def wait(self, channel: str, seconds: float) -> None:  # noqa: ARG002 (the file is the channel)
        """Poll `PRAGMA data_version`, which changes with every commit of another connection."""
        state = await self._state_with_file()
        if state.writer is self._memory:
            await asyncio.sleep(seconds)
            return
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(POLL, left))
            state = await self._state_with_file()
            [row] = await state.readers[0].fetch("PRAGMA data_version", {})
            previous, state.data_version = state.data_version, row["data_version"]
            if state.data_version != previous:
                return

    def _state_of_loop(self) -> LoopState:
        state = self._loops.get()
        if state is None:
            if asyncio.get_running_loop() in self._reopening:
                raise StorageUnavailableError
            raise RuntimeError("the storage is not open; await storage.open() first")
        if state.file is not None and state.file.is_lost:
            state.file.check()
        return state

    async def _check_file(self, state: LoopState) -> None:
        """Raise StorageUnavailableError if what was read or committed is not in the file at the path."""
        if state.file is not None:
            if self._reads_on_loop:
                state.file.check()
            else:
                await asyncio.to_thread(state.file.check)

    async def _state_with_file(self) -> LoopState:
        """Return the state of the loop; after a loss, open the file that is at the path now, if that is safe."""
        loop, state = asyncio.get_running_loop(), self._loops.get()
        if state is not None and state.file is not None:
            try:
                await self._check_file(state)
            except StorageUnavailableError:
                await state.file.prepare(state.writer)
                self._reopening.add(loop)
                await self._close_loop()
        if loop in self._reopening:
            await self.open()
            self._reopening.discard(loop)
        return self._state_of_loop()

    def _state(self, writer: ThreadedConnection, readers: list[ThreadedConnection]) -> LoopState:
        breaker = Breaker(self.timeout / 2, lambda: group.refuse_waiting(StorageUnavailableError()))
        turn = WriteTurn(self._memory_lock)
        group = GroupCommit(writer, turn, breaker.answered)
        # The connection of the event loop's thread is read-only, and never waits for a lock.
        on_loop = open_file(self._path, 0, read_only=True) if self._reads_on_loop else None
        file = DatabaseFile(self._path) if self._path != MEMORY else None
        return LoopState(writer, readers, turn, group, breaker, on_loop, file)

    def _discard(self, state: LoopState) -> None:
        """Close the connections of an event loop that ended without closing the storage."""
        if state.loop_connection is not None:
            state.loop_connection.close()
        for connection in state.connections:
            if connection is not self._memory:
                connection.stop()
