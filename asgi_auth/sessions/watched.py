"""The websockets that close when a session ends or the access of a user changes."""

from collections.abc import Callable


class Watched:
    """Functions that close websockets, by the id of their session or their user."""

    def __init__(self) -> None:
        """Start empty."""
        self._closes: dict[str, set[Callable[[], None]]] = {}

    def add(self, watched: str, close: Callable[[], None]) -> Callable[[], None]:
        """Call `close` with `close()` of the id; return a function that removes it."""
        self._closes.setdefault(watched, set()).add(close)

        def stop() -> None:
            closes = self._closes.get(watched, set())
            closes.discard(close)
            if not closes:
                self._closes.pop(watched, None)

        return stop

    def close(self, watched: str) -> None:
        """Close the websockets of a session or a user."""
        for close in list(self._closes.get(watched, ())):
            close()

    def close_all(self, has_ended: Callable[[str], bool]) -> None:
        """Close the websockets of all ids of which `has_ended` is true."""
        for watched in list(self._closes):
            if has_ended(watched):
                self.close(watched)
