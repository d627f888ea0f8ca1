"""The process that looks: it sends each look to the processes that are connected, and waits for none of them."""

import asyncio
import time
from contextlib import suppress
from typing import Any

from asgi_auth.process.fork import leave_behind, renew_after_fork
from asgi_auth.sessions.relay.messages import MAX_GREETING, MAX_MESSAGE, Greeting, Look, framed, receive
from asgi_auth.sessions.relay.socket_file import BACKLOG, listening, require_own_peer

#: Seconds in which a process that connects must greet.
PATIENCE = 2.0
#: The most processes that are served.
MAX_READERS = 2000
#: Bytes that may wait for a process before it is cut off. It then reads the database itself.
MAX_WAITING = 2 * MAX_MESSAGE


class RelayServer:
    """Listens at a socket, and sends looks to those that greet properly."""

    def __init__(self, path: str, greeting: Greeting) -> None:
        """Take the path of the socket, and the greeting that is expected. Raises OSError."""
        self._greeting = greeting
        self._socket = listening(path)
        self._server: asyncio.AbstractServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._readers: set[asyncio.StreamWriter] = set()
        self._serving: set[Any] = set()
        renew_after_fork(self)

    def renew(self) -> None:
        """Leave everything to the parent. A child that kept the socket open would take connections and not answer."""
        self._socket.close()
        leave_behind((self._server, self._readers, self._serving))
        self._readers, self._serving = set(), set()

    @property
    def readers(self) -> int:
        """The number of processes that are connected."""
        return len(self._readers)

    async def start(self) -> None:
        """Accept connections from now on."""
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_unix_server(
            self._serve, sock=self._socket, limit=MAX_GREETING, backlog=BACKLOG
        )

    async def close(self) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.close()
        self._socket.close()
        for writer in list(self._readers):
            writer.transport.abort()
        if self._serving:
            await asyncio.wait(self._serving, timeout=PATIENCE)

    def send(self, look: Look) -> None:
        """Send a look to all; cut off a process that does not read. Another event loop may have looked."""
        try:
            message = framed(look)
        except ValueError:
            message = framed(Look(None, look.started, look.time, look.until))
        if self._loop is asyncio.get_running_loop():
            self._send(message)
        elif self._loop is not None:
            with suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(self._send, message)

    def _send(self, message: bytes) -> None:
        for writer in list(self._readers):
            if writer.transport.get_write_buffer_size() > MAX_WAITING:
                self._readers.discard(writer)
                writer.transport.abort()
            else:
                writer.write(message)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._serving.add(task)
        try:
            with suppress(OSError, EOFError, ValueError, TimeoutError):
                await self._greet(reader, writer)
                # Nothing more is expected: whatever a reader sends, and the end of its process, ends the connection.
                await reader.read(1)
        finally:
            self._serving.discard(task)
            self._readers.discard(writer)
            writer.transport.abort()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer a greeting. Raises PermissionError for another user, ValueError for another installation."""
        require_own_peer(writer.get_extra_info("socket").fileno())
        async with asyncio.timeout(PATIENCE):
            theirs = await receive(reader, Greeting, MAX_GREETING)
        mine = self._greeting
        if (theirs.version, theirs.installation) != (mine.version, mine.installation) or self.readers >= MAX_READERS:
            raise ValueError("this process is not served")
        writer.write(framed(Greeting(mine.version, mine.installation, time.monotonic())))
        self._readers.add(writer)
