"""One value per event loop: a connection belongs to the loop that opened it, and test clients create many loops."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from asgi_auth.process.fork import leave_behind, renew_after_fork

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Holds one value for each event loop. `discard` is called with the value of a loop that was closed.

    A forked child starts without values: those of the parent's loops belong to the parent.
    """

    def __init__(self, discard: Callable[[T], None]) -> None:
        """Take the function that frees the value of a closed loop."""
        # Not weak keys: a connection would be collected without being closed.
        self._values: dict[asyncio.AbstractEventLoop, T] = {}
        self._discard = discard
        renew_after_fork(self)

    def get(self) -> T | None:
        """Return the value of the running loop, or None."""
        return self._values.get(asyncio.get_running_loop())

    def set(self, value: T) -> T:
        """Set and return the value of the running loop, and discard the values of closed loops."""
        for loop in [loop for loop in list(self._values) if loop.is_closed()]:
            stale = self._values.pop(loop, None)
            if stale is not None:
                self._discard(stale)
        self._values[asyncio.get_running_loop()] = value
        return value

    def pop(self) -> T | None:
        """Remove and return the value of the running loop, or return None."""
        return self._values.pop(asyncio.get_running_loop(), None)

    def loops(self) -> list[asyncio.AbstractEventLoop]:
        """Return the open loops that have a value."""
        return [loop for loop in list(self._values) if not loop.is_closed()]

    def renew(self) -> None:
        """Forget the values of the parent's loops, without freeing them."""
        leave_behind(self._values)
        self._values = {}

    def __len__(self) -> int:
        """Return the number of open loops that have a value."""
        return len(self.loops())
