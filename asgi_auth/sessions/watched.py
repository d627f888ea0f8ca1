"""The websockets that close when a session ends or the access of a user changes."""

from collections.abc import Callable, Collection
from typing import Generic, TypeVar

W = TypeVar("W")


class Watched(Generic[W]):
    """Functions that close websockets, by the key of their session or the id of their user."""

    def __init__(self) -> None:
        """Start empty."""
        self._closes: dict[W, set[Callable[[], None]]] = {}

    def add(self, watched: W, close: Callable[[], None]) -> Callable[[], None]:
        """Call `close` with `close()` of what is watched; return a function that removes it."""
        self._closes.setdefault(watched, set()).add(close)

        def stop() -> None:
            closes = self._closes.get(watched, set())
            closes.discard(close)
            if not closes:
                self._closes.pop(watched, None)

        return stop

    def close(self, watched: W) -> None:
        """Close the websockets of a session or a user."""
        for close in list(self._closes.get(watched, ())):
            close()

    def close_those(self, watched: Collection[W]) -> None:
        """Close the websockets of many sessions, of which most have none."""
        for each in filter(self._closes.__contains__, watched) if self._closes else ():
            self.close(each)

    def close_all(self, has_ended: Callable[[W], bool]) -> None:
        """Close the websockets of all that `has_ended` is true of."""
        for watched in list(self._closes):
            if has_ended(watched):
                self.close(watched)
