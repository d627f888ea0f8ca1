"""Counts what is read now, so that slow documents of a few delay no others."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial


class Reading:
    """Places for documents that are being read, by the keys that share them."""

    def __init__(self) -> None:
        """Begin with no document."""
        self._counts: Counter[str] = Counter()
        # A look-up of a name ends in a thread of its own.
        self._lock = threading.Lock()

    def begin(self, most: Mapping[str, int]) -> Callable[[], None] | None:
        """Take a place for each key, and return what gives them back; None if a key has as many as it may."""
        with self._lock:
            if any(self._counts[key] >= bound for key, bound in most.items()):
                return None
            self._counts.update(list(most))
        return partial(self._end, list(most))

    def _end(self, keys: list[str]) -> None:
        with self._lock:
            self._counts.subtract(keys)
            self._counts = +self._counts
