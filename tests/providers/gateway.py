"""A server of sockets before a fake provider: it passes requests on, and spoils the answers to some paths."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
#: The size of an answer that is too large, in bytes.
LARGE = 5 * 1024 * 1024


class Gateway:
    """Passes requests on to the server at `backend`. `trouble` has the answers of paths; `asked` has all paths."""

    def __init__(self) -> None:
        self.backend = ""
        self.trouble: dict[str, Answer] = {}
        self.asked: list[str] = []
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()

    async def serve(self, port: int) -> None:
        """Listen at a port of this machine."""
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", port)

    async def close(self) -> None:
        """Go away: the port is closed."""
        if self._server is not None:
            self._server.close()
            self._server = None
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.create_task(self._answer(reader, writer))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        await call

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The end of the test cancels what still waits.
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode().lower().split("\r\n")
            length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
            body = await reader.readexactly(length)
            path = urlsplit(head.split(b" ", 2)[1].decode()).path
            self.asked.append(path)
            await (self.trouble[path](writer) if path in self.trouble else self._pass_on(head, body, writer))
        writer.close()

    async def _pass_on(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(self.backend)
        there, forth = await asyncio.open_connection(parts.hostname, parts.port)
        kept = [line for line in head.strip().split(b"\r\n") if not line.lower().startswith(b"connection:")]
        forth.write(b"\r\n".join([*kept, b"connection: close", b"", body]))
        while data := await there.read(65536):
            writer.write(data)
        await writer.drain()
        forth.close()


async def silent(_writer: asyncio.StreamWriter) -> None:
    """Answer nothing."""
    await asyncio.Event().wait()


async def drips(writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, without an end."""
    writer.write(HEAD + b"content-length: 100000\r\n\r\n{")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def closes(_writer: asyncio.StreamWriter) -> None:
    """Close the connection without an answer."""


async def resets(writer: asyncio.StreamWriter) -> None:
    """Reset the connection in the middle of an answer."""
    writer.write(HEAD + b"content-length: 100\r\n\r\n{")
    await writer.drain()
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def half(writer: asyncio.StreamWriter) -> None:
    """Close the connection in the middle of an answer."""
    writer.write(HEAD + b'content-length: 100\r\n\r\n{"a": 1')
    await writer.drain()


async def large(writer: asyncio.StreamWriter) -> None:
    """Send five megabytes."""
    writer.write(HEAD + b"content-length: %d\r\n\r\n{" % LARGE + b" " * (LARGE - 2) + b"}")
    await writer.drain()


async def endless(writer: asyncio.StreamWriter) -> None:
    """Send chunks without an end."""
    writer.write(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
        await writer.drain()


async def compressed(writer: asyncio.StreamWriter) -> None:
    """Send what becomes large when it is decompressed."""
    writer.write(HEAD + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00")
    await writer.drain()


async def no_http(writer: asyncio.StreamWriter) -> None:
    """Speak another protocol."""
    writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
    await writer.drain()


async def long_header(writer: asyncio.StreamWriter) -> None:
    """Send a header without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"x-more: " + b"x" * 65536 + b"\r\n")
        await writer.drain()


def leads_to(url: str) -> Answer:
    """Return an answer that leads to another server."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: %s\r\ncontent-length: 0\r\n\r\n" % url.encode())
        await writer.drain()

    return answer


TROUBLES: dict[str, Answer] = {
    "silent": silent,
    "drips": drips,
    "closes": closes,
    "resets": resets,
    "half": half,
    "large": large,
    "endless": endless,
    "compressed": compressed,
    "no HTTP": no_http,
    "a long header": long_header,
}


@asynccontextmanager
async def gateway(port: int) -> AsyncIterator[Gateway]:
    """Run a gateway at a port."""
    made = Gateway()
    await made.serve(port)
    try:
        yield made
    finally:
        await made.close()
