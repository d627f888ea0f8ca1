"""Whether the reads of a call may come from a replica of the database, and the user of the call."""

from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Generic, TypeVar

T = TypeVar("T")
_allowed: ContextVar[bool] = ContextVar("asgi_auth_replica", default=False)
_caller: ContextVar[str] = ContextVar("asgi_auth_caller", default="")


class _Noted(Generic[T]):
    """Sets a context variable in a block. A class, as every call has two of them."""

    __slots__ = ("_token", "_value", "_variable")

    def __init__(self, variable: ContextVar[T], value: T) -> None:
        self._variable, self._value = variable, value

    def __enter__(self) -> None:
        self._token = self._variable.set(self._value)

    def __exit__(self, *_: object) -> None:
        self._variable.reset(self._token)


def reading_replica(*, allowed: bool = True) -> _Noted[bool]:
    """Let the block read from a replica: what it shows may be a moment old, and nothing is decided by it."""
    return _Noted(_allowed, allowed)


def calling(user_id: str) -> _Noted[str]:
    """Note the user of the block, who sees their own changes."""
    return _Noted(_caller, user_id)


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
