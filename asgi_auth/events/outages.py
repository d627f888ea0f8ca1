"""Reports of 503 responses: the cause, once in an interval, with the number of requests since."""

import time
from collections.abc import Callable

from asgi_auth.errors import AuthError
from asgi_auth.events.log import encoded
from asgi_auth.process.log import logger

#: Seconds between two reports of one cause.
INTERVAL = 60.0
#: The number of causes that are kept; beyond it, all start over.
MAX_CAUSES = 100


class Outages:
    """The causes for which requests are answered with a server error."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without causes. `clock` returns seconds."""
        self._clock = clock
        self._reported: dict[tuple[str, str], tuple[float, int]] = {}

    def note(self, error: AuthError) -> bool:
        """Count a request that failed, and log its cause when it is due; return whether it was."""
        key, now = (error.code, cause_of(error)), self._clock()
        at, count = self._reported.get(key, (float("-inf"), 0))
        if now - at < INTERVAL:
            self._reported[key] = (at, count + 1)
            return False
        if len(self._reported) >= MAX_CAUSES:
            self._reported.clear()
        self._reported[key] = (now, 0)
        since = f"; {count} more requests since the last report" if count else ""
        logger.error("asgi_auth answers %d %s: %s%s", error.status, error.code, key[1], since)
        return True


def cause_of(error: BaseException) -> str:
    """Return type and message of the first error in a chain of causes, on one line."""
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = str(cause).partition("\n")[0]
    return str(encoded(f"{type(cause).__name__}: {text}" if text else type(cause).__name__))
