"""A process that is told: it connects to the one that looks, and knows as much, and is as fresh, as that one."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from asgi_auth.sessions.relay.messages import MAX_GREETING, MAX_MESSAGE, Greeting, Look, framed, receive
from asgi_auth.sessions.relay.socket_file import require_own_file, require_own_peer


class RelayReader:
    """The connection to the process that looks."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        """Take a connection on which both have greeted."""
        self._reader = reader

    async def look(self, seconds: float) -> Look:
        """Return the next look. Raises TimeoutError after so many seconds, EOFError when the other process is gone."""
        async with asyncio.timeout(seconds):
            return await receive(self._reader, Look)


@asynccontextmanager
async def connected(path: str, greeting: Greeting, seconds: float) -> AsyncIterator[RelayReader]:
    """Connect within so many seconds: the process that was elected may not listen yet.

    Raises OSError, TimeoutError, and ValueError for a process that is of another version, installation or clock.
    """
    async with asyncio.timeout(seconds):
        reader, writer = await _open(path, seconds)
        try:
            await _greet(reader, writer, greeting)
        except BaseException:
            writer.transport.abort()
            raise
    try:
        yield RelayReader(reader)
    finally:
        writer.transport.abort()


async def _open(path: str, seconds: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        with suppress(FileNotFoundError, ConnectionRefusedError):
            require_own_file(path)
            reader, writer = await asyncio.open_unix_connection(path, limit=MAX_MESSAGE)
            try:
                require_own_peer(writer.get_extra_info("socket").fileno())
            except OSError:
                writer.transport.abort()
                raise
            return reader, writer
        await asyncio.sleep(random.uniform(0.02, 0.1) * seconds)  # noqa: S311 (jitter)


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mine: Greeting) -> None:
    before = time.monotonic()
    writer.write(framed(mine))
    try:
        theirs = await receive(reader, Greeting, MAX_GREETING)
    except EOFError:
        raise ConnectionRefusedError("the other process serves other ones") from None
    if (theirs.version, theirs.installation) != (mine.version, mine.installation):
        raise ValueError("the other process is of another version or installation")
    # In another time namespace, the time of its looks says nothing here.
    if not before <= theirs.clock <= time.monotonic():
        raise ValueError("the other process has another clock")
