"""The difference between the clock of this process and that of the database."""

from asgi_auth.process.log import logger


class ClockWatch:
    """Compares the two clocks with every synchronization, and logs once when they disagree."""

    def __init__(self, skew: float) -> None:
        """Take the allowed difference, in seconds."""
        self._skew = skew
        #: By how many seconds the clock of the database is ahead of that of this process, as last seen.
        self.difference: float = 0.0

    @property
    def disagrees(self) -> bool:
        """Whether the difference is larger than allowed."""
        return abs(self.difference) > self._skew

    def compare(self, before: float, database: float | None, after: float) -> None:
        """Note the time of the database, and that of this process before and after the query, in seconds since 1970.

        `database` is None for a database without a clock of its own. The duration of the query is no difference.
        """
        disagreed = self.disagrees
        self.difference = 0.0 if database is None else database - min(max(database, before), after)
        if self.disagrees and not disagreed:
            logger.warning("asgi_auth asks the database on each request: %s. Synchronize the clocks", self.text)
        elif disagreed and not self.disagrees:
            logger.info("The clocks of this process and of the database agree again")

    @property
    def text(self) -> str:
        """The difference in words."""
        order = "behind" if self.difference > 0 else "ahead of"
        return f"the clock of this process is {abs(self.difference):.0f} seconds {order} that of the database"
