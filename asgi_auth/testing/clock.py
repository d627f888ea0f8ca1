"""The clock of a test."""

import time
from datetime import timedelta


class Clock:
    """A clock that stands still until it is moved: `Auth(…, now=clock)`.

    Access and refresh tokens, sessions, mailed codes, bans, limits and codes of authenticator apps all follow it. The
    clocks of a database server and of a client's cookie jar do not::

        clock = Clock()
        clock.move(minutes=16)  # or: clock.move(960)
    """

    def __init__(self, at: float | None = None) -> None:
        """Take the time in seconds since 1970; the default is now."""
        self.at: float = time.time() if at is None else at

    def __call__(self) -> float:
        """Return the time in seconds since 1970."""
        return self.at

    def move(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0) -> None:
        """Move the clock forward, or with negative numbers back."""
        self.at += timedelta(seconds=seconds, minutes=minutes, hours=hours, days=days).total_seconds()

    def __repr__(self) -> str:
        """Show the time."""
        return f"<Clock at {self.at:.3f}>"
