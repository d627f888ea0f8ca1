"""One value per event loop: connections belong to the loop that opened them, and test clients make many loops."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Holds a value for each running loop; those of loops that were closed are given to `discard`."""

    def __init__(self, discard: Callable[[T], None]) -> None:
        """Take what is done with a value whose loop is gone."""
        # A weak key would let connections vanish without being closed.
        self._values: dict[asyncio.AbstractEventLoop, T] = {}
        self._discard = discard

    def get(self) -> T | None:
        """The value of the running loop."""
        return self._values.get(asyncio.get_running_loop())

    def set(self, value: T) -> T:
        """Set the value of the running loop."""
        for loop in [loop for loop in list(self._values) if loop.is_closed()]:
            gone = self._values.pop(loop, None)
            if gone is not None:
                self._discard(gone)
        self._values[asyncio.get_running_loop()] = value
        return value

    def pop(self) -> T | None:
        """Take the value of the running loop away."""
        return self._values.pop(asyncio.get_running_loop(), None)

    def __len__(self) -> int:
        """Count the loops that were not closed."""
        return sum(not loop.is_closed() for loop in list(self._values))
