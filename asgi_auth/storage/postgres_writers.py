"""The calls of a PostgreSQL pool that write: as many at a time as leave connections to those that only read."""

from collections.abc import Iterable

from asgi_auth.bounds.deadline import Deadline
from asgi_auth.storage.postgres_connection import AsyncpgConnection
from asgi_auth.storage.waiting_line import Pace, WaitingLine

#: Connections that calls which write leave to others, in a pool of eight and more; one in a pool of four.
FOR_READS = 2


class Writers:
    """Counts the calls that write, with those that were given up and whose commits the server may still end."""

    def __init__(self, pace: Pace, max_size: int) -> None:
        """Start without calls."""
        self._most = max_size - min(FOR_READS, max_size // 4)
        self._number = 0
        self._connections: set[AsyncpgConnection] = set()
        self._line: WaitingLine[None] = WaitingLine(pace, lambda _: self.end())

    async def begin(self, deadline: Deadline) -> None:
        """Wait while as many calls write as may."""
        if self._number < self._most:
            self._number += 1
        else:
            await self._line.wait(deadline)

    def end(self) -> None:
        """End a call; the next one begins."""
        if not self._line.hand(None):
            self._number -= 1

    def hold(self, connection: AsyncpgConnection) -> None:
        """Note the connection of a call that has begun."""
        self._connections.add(connection)

    def leave(self, connection: AsyncpgConnection) -> None:
        """End the call of a connection. No-op for one that only reads."""
        if connection in self._connections:
            self._connections.discard(connection)
            self.end()

    def hanging(self, abandoned: Iterable[AsyncpgConnection]) -> "AsyncpgConnection | None":
        """Return the last of the given-up connections if no call can begin because of them, else None."""
        found = [connection for connection in abandoned if connection in self._connections]
        return found[-1] if len(found) >= self._most else None

    def refuse_waiting(self, error: Exception) -> None:
        """Raise an error in the waiting calls."""
        self._line.refuse_all(error)

    def clear(self) -> None:
        """Forget the connections."""
        self._connections.clear()
