"""How many connections a PostgreSQL server allows."""

import time

from asgi_auth.process.log import logger

#: Seconds until a server that had no room for one more connection is asked again, at first and at most.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


class Growth:
    """How many connections the server allows: fewer than `most` once it has refused more.

    It is asked again for one more after a pause, which is longer after each refusal.
    """

    def __init__(self, most: int) -> None:
        """Expect all to be allowed."""
        self._most = most
        self._bound = most
        self._pause = FIRST_PAUSE
        self._again_at = 0.0

    def allows(self, number: int) -> bool:
        """Return whether to open one more beside `number` connections."""
        return number < self._bound or (number == self._bound < self._most and time.monotonic() >= self._again_at)

    def refused(self, number: int) -> float:
        """Learn that the server has no room beside `number` connections; return the seconds until the next attempt."""
        now = time.monotonic()
        if self._bound == self._most:
            logger.warning("PostgreSQL has no room for more than %d connections; further calls wait for them", number)
        if now >= self._again_at:
            self._again_at = now + self._pause
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self._bound = min(self._bound, number)
        return self._again_at - now

    def grew(self, number: int) -> None:
        """Learn that the server had room for `number` connections; one more may be tried at once."""
        if number > self._bound:
            self._bound, self._pause, self._again_at = number, FIRST_PAUSE, 0.0
