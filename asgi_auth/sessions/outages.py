"""Outages of the database, as this process sees them: they stop the clock of the grace of refresh tokens.

A client that could not repeat a refresh while the database was away may do so when it is back. Without this, a failover
that takes longer than `refresh_grace` would make a theft of an honest repetition.
"""

from collections.abc import Callable

#: Seconds by which outages prolong the grace of a rotation at most, however long they are.
LONGEST = 300.0


class Outages:
    """Knows the last outage. Two outages with less than the grace between them are one."""

    def __init__(self, grace: float, now: Callable[[], float]) -> None:
        """Take the grace of refresh tokens in seconds."""
        self._grace = grace
        self._now = now
        self._answered_at: float | None = None
        self._since: float | None = None
        self._until = float("-inf")
        #: Whether the database gave no answer when it was asked last.
        self.is_on: bool = False

    def failed(self) -> None:
        """Note that the database gave no answer. The outage began with the last answer before."""
        if self.is_on:
            return
        now = self._now()
        # A process that was frozen knows nothing of the time in between.
        last = now if self._answered_at is None else max(self._answered_at, now - self._grace)
        if self._since is None or last - self._until > self._grace:
            self._since = last
        self.is_on = True

    def answered(self) -> None:
        """Note an answer: an outage is over."""
        self._answered_at = self._now()
        if self.is_on:
            self.is_on = False
            self._until = self._answered_at

    def excuse(self, rotated_at: int) -> bool:
        """Tell whether an outage fell into the grace of a rotation, and the grace after the outage has not passed."""
        now = self._now()
        if self._since is None or not self._grace or now - rotated_at > LONGEST + self._grace:
            return False
        until = now if self.is_on else self._until
        return self._since - self._grace <= rotated_at <= until and now - until <= self._grace
