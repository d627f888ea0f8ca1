"""A TCP proxy that misbehaves when told to: it can delay, pause, cut, and cut before a certain message goes through."""

import asyncio
import socket
import struct
from typing import Self

RESET = struct.pack("ii", 1, 0)


class FaultProxy:
    """Passes bytes on to a port of the loopback address."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.port = 0
        self.cut_before: bytes | None = None
        #: Seconds by which every message to the server is late: the time of a round trip.
        self.delay = 0.0
        #: How many connections have been made so far.
        self.connections = 0
        #: Whether the end of a connection is kept from the other side.
        self.mute = False
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.resume()
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.sleep(0.05)  # the pumps see the cut

    def pause(self) -> None:
        """Let connections hang: nothing is passed on, nothing is closed."""
        self._open.clear()

    def resume(self) -> None:
        """Pass on again, also what was held back."""
        self._open.set()

    def forget(self) -> None:
        """Pass new connections on, while those that hang do so for ever."""
        self._open = asyncio.Event()
        self._open.set()

    def cut(self) -> None:
        """Reset all connections; new ones are taken."""
        for writer in list(self._writers):
            connection = writer.get_extra_info("socket")
            if connection is not None and connection.fileno() >= 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        self.connections += 1
        self._writers |= {writer, to_writer}
        await asyncio.gather(self._pump(reader, to_writer, late=True), self._pump(to_reader, writer))
        self._writers -= {writer, to_writer}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, late: bool = False) -> None:
        try:
            while data := await reader.read(65536):
                await asyncio.sleep(self.delay if late else 0)
                await self._open.wait()
                if self.cut_before is not None and self.cut_before in data:
                    self.cut_before = None
                    self.cut()
                    return
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            if not self.mute:
                writer.close()
