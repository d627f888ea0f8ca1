"""The messages of the relay: a length of four bytes, then MessagePack."""

import asyncio
import struct
from typing import TypeVar

import msgspec

from asgi_auth.model.revocations import Changes

#: The longest message, in bytes. A longer page of changes is not sent: the others read the database themselves.
MAX_MESSAGE = 2**20
#: The longest message of a process that connects.
MAX_GREETING = 1024
HEAD = struct.Struct(">I")
#: Processes of other versions of the library have other changes.
VERSION = f"1 {' '.join(Changes.__struct_fields__)}"


class Greeting(msgspec.Struct, frozen=True):
    """The first message in both directions: which changes are meant, of which installation.

    `clock` is the monotonic clock of the sender. Processes that share it may share the time of a look.
    """

    version: str
    installation: str
    clock: float = 0.0


class Look(msgspec.Struct, frozen=True):
    """A page of a look at the database. None in place of `changes` is a page that is too long.

    `started` and `until` are times of the monotonic clock: when the look began, and until when the process that made
    it decides without a query; minus infinity for a page that is not the last one. `time` is the wall clock at
    `started`.
    """

    changes: Changes | None
    started: float
    time: float
    until: float


M = TypeVar("M", Greeting, Look)


def framed(message: Greeting | Look) -> bytes:
    """Encode a message. Raises ValueError for one that is too long."""
    content = msgspec.msgpack.encode(message)
    if len(content) > MAX_MESSAGE:
        raise ValueError("the message is too long")
    return HEAD.pack(len(content)) + content


async def receive(reader: asyncio.StreamReader, kind: type[M], longest: int = MAX_MESSAGE) -> M:
    """Read a message. Raises EOFError at the end of the connection, and ValueError for anything else than a message."""
    (length,) = HEAD.unpack(await reader.readexactly(HEAD.size))
    if length > longest:
        raise ValueError("the message is too long")
    return msgspec.msgpack.decode(await reader.readexactly(length), type=kind)
