"""The websockets that close when a session ends or the access of a user changes."""

from collections.abc import Callable, Sequence


class Watched:
    """Functions that close websockets, by the ids of their sessions and users."""

    def __init__(self) -> None:
        """Start empty."""
        self._closes: dict[str, set[Callable[[], None]]] = {}

    def add(self, ids: Sequence[str], close: Callable[[], None]) -> Callable[[], None]:
        """Call `close` with `close()` of one of the ids; return a function that removes it."""
        for watched in ids:
            self._closes.setdefault(watched, set()).add(close)

        def stop() -> None:
            for watched in ids:
                closes = self._closes.get(watched, set())
                closes.discard(close)
                if not closes:
                    self._closes.pop(watched, None)

        return stop

    def close(self, watched: str) -> None:
        """Close the websockets of a session or a user."""
        for close in list(self._closes.get(watched, ())):
            close()
