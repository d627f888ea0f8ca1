"""The least HTTP/1.1 client that can make a load: one connection, one request at a time."""

import asyncio
from typing import Self
from urllib.parse import urlsplit

from benchmarks.contenders.base import Headers, Request


class Connection:
    """A connection that is kept; not for use by two at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to a server of this machine."""
        return cls(*await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port))

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Send a request that `encoded` has made; give status and head of the answer, once its body was read."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b"content-length:" in head:
            length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            await self._reader.readexactly(length)
        elif b"transfer-encoding: chunked" in head:
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                await self._reader.readexactly(size + 2)
            await self._reader.readexactly(2)
        return int(head[9:12]), head

    def close(self) -> None:
        """Let go."""
        self._writer.close()


def encoded(request: Request) -> bytes:
    """Write a request as bytes."""
    given: Headers = [(b"host", b"127.0.0.1"), *request.headers]
    if request.body or request.method == "POST":
        given = [*given, (b"content-length", str(len(request.body)).encode())]
    lines = [f"{request.method} {request.path} HTTP/1.1".encode(), *[name + b": " + value for name, value in given]]
    return b"\r\n".join(lines) + b"\r\n\r\n" + request.body
