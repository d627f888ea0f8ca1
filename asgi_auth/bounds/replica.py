"""Whether the reads of a call may come from a replica of the database, and the user of the call."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")
_allowed: ContextVar[bool] = ContextVar("asgi_auth_replica", default=False)
_caller: ContextVar[str] = ContextVar("asgi_auth_caller", default="")


@contextmanager
def reading_replica(*, allowed: bool = True) -> Iterator[None]:
    """Let the block read from a replica: what it shows may be a moment old, and nothing is decided by it."""
    token = _allowed.set(allowed)
    try:
        yield
    finally:
        _allowed.reset(token)


@contextmanager
def calling(user_id: str) -> Iterator[None]:
    """Note the user of the block, who sees their own changes."""
    token = _caller.set(user_id)
    try:
        yield
    finally:
        _caller.reset(token)


async def each_from_replica(pages: AsyncIterator[T]) -> AsyncIterator[T]:
    """Yield items that are read one after the other, each of them like a block of `reading_replica`."""
    while True:
        with reading_replica():
            try:
                page = await anext(pages)
            except StopAsyncIteration:
                return
        yield page


def may_read_replica() -> bool:
    """Return whether a read of the current call may come from a replica."""
    return _allowed.get()


def caller() -> str:
    """Return the id of the user of the current call, or an empty text."""
    return _caller.get()
