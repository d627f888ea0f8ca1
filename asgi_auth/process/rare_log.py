"""Trouble that repeats: one line of the log in an interval, with the number of times since the line before."""

import asyncio
import logging
from contextvars import Context

from asgi_auth.process.log import logger

#: Seconds between two lines.
INTERVAL = 60.0


class RareLog:
    """Logs one kind of trouble for one event loop: at once, and then at most every `INTERVAL` seconds.

    `message` has one `%d` for the number of times.
    """

    def __init__(self, message: str, level: int = logging.ERROR) -> None:
        """Have nothing to log."""
        self._message = message
        self._level = level
        self._count = 0
        self._error: Exception | None = None
        self._logged_at = float("-inf")
        self._next: asyncio.TimerHandle | None = None

    def note(self, count: int = 1, error: Exception | None = None) -> None:
        """Count the trouble. The traceback of the newest error is logged."""
        self._count += count
        self._error = error
        if self._next is None:
            loop = asyncio.get_running_loop()
            seconds = max(0.0, self._logged_at + INTERVAL - loop.time())
            # An empty context: the line is not that of one request.
            self._next = loop.call_later(seconds, self._log, loop, context=Context())

    def finish(self) -> None:
        """Log what was noted since the last line."""
        if self._next is not None:
            self._next.cancel()
            self._write()

    def _log(self, loop: asyncio.AbstractEventLoop) -> None:
        self._logged_at = loop.time()
        self._write()

    def _write(self) -> None:
        count, error = self._count, self._error
        self._count, self._error, self._next = 0, None, None
        logger.log(self._level, self._message, count, exc_info=error)
