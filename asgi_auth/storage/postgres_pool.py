"""The library's own pool of PostgreSQL connections, for one event loop."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import asyncpg

from asgi_auth.bounds.deadline import Deadline
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.process.background import begin
from asgi_auth.storage.postgres_abandoned import ASK, TO_CLOSE, Abandoned, living_of
from asgi_auth.storage.postgres_connection import UNAVAILABLE, AsyncpgConnection
from asgi_auth.storage.postgres_growth import Growth
from asgi_auth.storage.postgres_refusals import has_no_room
from asgi_auth.storage.postgres_writers import Writers
from asgi_auth.storage.waiting_line import Pace, WaitingLine

#: Seconds after which an idle connection is closed: firewalls drop it, and the server limits their number.
MAX_IDLE = 300
#: Seconds after which an idle connection is asked before it is used again: the server may have restarted.
RESTED = 0.5
#: Seconds for which new idle connections are trusted after others were dropped.
SUSPICION = 1.0
#: Seconds between two checks whether all connections have been released, when the pool closes.
CLOSE_POLL = 0.01

Connect = Callable[[], Awaitable[AsyncpgConnection]]
IsAlive = Callable[[AsyncpgConnection], Awaitable[bool]]
Avoid = Callable[[AsyncpgConnection], None]


class OwnPool:
    """A pool of at most `max_size` connections, opened when they are needed; the last used is used next.

    Connections are opened in tasks of the pool: a call takes the first connection that is free, and a call that is
    cancelled leaves the new connection to others. Unlike asyncpg's pool, it starts no task for each release (about a
    quarter of a statement), serves requests in progress first, and waits when the server has no room.
    """

    def __init__(
        self, connect: Connect, max_size: int, is_alive: IsAlive | None = None, avoid: Avoid = lambda _: None
    ) -> None:
        """Connect nowhere yet. `connect` opens a connection; `is_alive` asks an idle one whether it still works.

        `avoid` gets a connection to whose host no new one should lead.
        """
        self._connect = connect
        self._avoid = avoid
        self._is_alive = is_alive
        self._pace = Pace(max_size)
        self._line: WaitingLine[AsyncpgConnection] = WaitingLine(self._pace, self._take_back)
        self._growth = Growth(max_size)
        self._writers = Writers(self._pace, max_size)
        self._abandoned = Abandoned(self._living, self._free)
        self._connecting: set[asyncio.Task[None] | None] = set()
        #: All connections, with the time when each was taken.
        self._open: dict[AsyncpgConnection, float] = {}
        self._opened_at: dict[AsyncpgConnection, float] = {}
        self._idle: deque[tuple[AsyncpgConnection, float]] = deque()
        self._lost_at = self._suspected_at = self._outdated_at = -math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._terminated = False

    async def acquire(self, deadline: Deadline | None = None, *, writes: bool = False) -> AsyncpgConnection:
        """Take the idle connection that was used last, else wait for the first that is released or opened.

        Raises asyncpg.InterfaceError if the pool closes, and StorageUnavailableError at once if the call cannot be
        served before its `deadline`, or if it `writes` while no commit ends. Without a deadline, it waits as a request
        in progress does.
        """
        deadline = deadline or Deadline(math.inf, urgent=True)
        if not writes:
            return await self._take_one(deadline)
        await self._begin_write(deadline)
        try:
            connection = await self._take_one(deadline)
        except BaseException:
            self._writers.end()
            raise
        self._writers.hold(connection)
        return connection

    async def _begin_write(self, deadline: Deadline) -> None:
        """Wait while as many calls write as may: commits that do not end leave connections to those that read."""
        hanging = self._writers.hanging(self._abandoned) if self._abandoned else None
        if hanging is not None:
            # Another host may have become the primary meanwhile, and reads would keep the old connections in use.
            self._avoid(hanging)
            self.suspect(all_open=True)
            raise StorageUnavailableError
        await self._writers.begin(deadline)

    async def _take_one(self, deadline: Deadline) -> AsyncpgConnection:
        connection = await self._idle_one()
        if connection is None:
            if self._closing:
                raise asyncpg.InterfaceError("the pool is closing")
            self._grow(1)
            connection = await self._line.wait(deadline)
        self._open[connection] = time.monotonic()
        if deadline.begin(self._pace):
            self._pace.began()
        return connection

    async def release(self, connection: AsyncpgConnection) -> None:
        """Hand the connection to the first waiting call, or keep it idle; drop the oldest idle one after its time."""
        if (since := self._open.get(connection)) is not None:
            self._pace.used(time.monotonic() - since)
        self._return(connection)

    async def abandon(self, connection: AsyncpgConnection, pending: "asyncio.Task[Any] | None") -> None:
        """Close a connection in the background: its place is free when the server is rid of it."""
        if connection.is_closed() or connection not in self._open:
            self._return(connection)
        else:
            self._abandoned.add(connection, self._opened_at[connection], pending)

    def _free(self, connection: AsyncpgConnection) -> None:
        """Free the place of an abandoned connection."""
        self._writers.leave(connection)
        self._drop(connection)

    def _return(self, connection: AsyncpgConnection) -> None:
        self._writers.leave(connection)
        self._take_back(connection)

    async def _living(self, processes: Mapping[int, float]) -> set[int] | None:
        """Ask which processes of the server are sessions of its abandoned connections, on one more if none is free."""
        connection = None
        if len(self._abandoned) < len(self._open) and not self._closing:
            with suppress(TimeoutError, StorageUnavailableError):
                async with asyncio.timeout(ASK):
                    connection = await self.acquire()
        is_more = connection is None
        connection = connection or await self._connect()
        try:
            async with asyncio.timeout(TO_CLOSE):
                return await living_of(connection, processes)
        except BaseException:
            connection.terminate()
            raise
        finally:
            if is_more:
                connection.terminate()
            else:
                await self.release(connection)

    def refuse_waiting(self, error: Exception) -> None:
        """Raise an error in all calls that wait for a connection."""
        self._writers.refuse_waiting(error)
        self._line.refuse_all(error)

    def suspect(self, *, all_open: bool = False) -> None:
        """Drop the idle connections: the next ones may lead to another host. A second suspicion is the same one.

        With `all_open`, those in use are not used again either.
        """
        now = time.monotonic()
        if now - self._suspected_at < SUSPICION:
            return
        self._suspected_at = self._lost_at = now
        if all_open:
            self._outdated_at = now
        while self._idle:
            self._drop(self._idle.pop()[0])

    async def close(self) -> None:
        """Close the idle connections until none is left."""
        self._stop()
        while self._open or self._connecting:
            if self._idle:
                await self._close_one(self._idle.popleft()[0])
            else:
                await asyncio.sleep(CLOSE_POLL)

    def terminate(self) -> None:
        """Drop all connections. Those of a closed event loop cannot even send a message to the server."""
        self._terminated = True
        # A closed event loop takes no calls.
        with suppress(RuntimeError):
            self._stop()
            for task in filter(None, self._connecting):
                task.cancel()
            self._abandoned.terminate()
        for connection in self._open:
            with suppress(RuntimeError, asyncpg.InterfaceError):
                connection.terminate()
        for known in (self._open, self._opened_at, self._writers, self._idle):
            known.clear()

    def _stop(self) -> None:
        self._closing = True
        if self._timer is not None:
            self._timer.cancel()
        self.refuse_waiting(asyncpg.InterfaceError("the pool is closing"))

    async def _idle_one(self) -> "AsyncpgConnection | None":
        """Take an idle connection that works. If one does not, those that have been idle for longer are not tried."""
        while self._idle and not self._closing:
            connection, since = self._idle.pop()
            rest = time.monotonic() - since
            try:
                if not connection.is_closed() and rest < MAX_IDLE:
                    is_trusted = rest < RESTED and since > self._lost_at
                    if is_trusted or self._is_alive is None or await self._is_alive(connection):
                        return connection
                    while self._idle:
                        self._drop(self._idle.pop()[0])
            except BaseException:
                self._drop(connection)
                self.suspect()
                raise
            self._drop(connection)
        return None

    def _take_back(self, connection: AsyncpgConnection) -> None:
        if self._opened_at.get(connection, math.inf) <= self._outdated_at:
            self._drop(connection)
        elif connection.is_closed() or self._terminated:
            # The server may have closed the idle connections as well.
            self._lost_at = time.monotonic()
            self._drop(connection)
        elif not self._line.hand(connection):
            self._idle.append((connection, time.monotonic()))
            if self._idle[-1][1] - self._idle[0][1] > MAX_IDLE:
                # Not closed properly: this call would have to wait for it.
                self._drop(self._idle.popleft()[0])

    def _grow(self, more: int = 0) -> None:
        """Open connections for the waiting calls, and for so many more, while the server has room."""
        while (
            not self._closing
            and len(self._connecting) < len(self._line) + more
            and self._growth.allows(len(self._open) + len(self._connecting))
        ):
            # An empty context: the connection outlives the request that needs it first.
            task = begin(self._add(), "connect")
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _add(self) -> None:
        """Open a connection for the first waiting call, which gets the error if that fails."""
        connection = failure = None
        try:
            connection = await self._connect()
        except TimeoutError:
            # The calls that have waited as long have ended; those that came later try again.
            pass
        except Exception as error:  # noqa: BLE001 (it is raised in the caller)
            if has_no_room(error):
                self._wait_for_room()
            else:
                failure = error
        finally:
            self._connecting.discard(asyncio.current_task())
        if failure is not None:
            self._line.fail(failure)
        if connection is not None:
            self._open[connection] = self._opened_at[connection] = time.monotonic()
            self._growth.grew(len(self._open))
            self._take_back(connection)
        self._grow()

    def _wait_for_room(self) -> None:
        pause = self._growth.refused(len(self._open) + len(self._connecting) - 1)
        if self._timer is None and not self._closing:
            self._timer = asyncio.get_running_loop().call_later(pause, self._grow_again)

    def _grow_again(self) -> None:
        self._timer = None
        self._grow()

    async def _close_one(self, connection: AsyncpgConnection) -> None:
        try:
            with suppress(*UNAVAILABLE, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)
        finally:
            self._drop(connection)

    def _drop(self, connection: AsyncpgConnection) -> None:
        """Drop a connection, and open another for a waiting call."""
        with suppress(asyncpg.InterfaceError):
            connection.terminate()
        self._open.pop(connection, None)
        self._opened_at.pop(connection, None)
        self._grow()
