"""Sessions that a failover has revived: each process ends again what it knows to have ended.

An asynchronous standby that becomes the primary lacks the last transactions of the earlier one. A session whose end was
among them would be live again. Session ids are never used twice, so that a session which has ended can only be live
because the database went back.
"""

import asyncio
from collections.abc import Callable

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.process.background import begin
from asgi_auth.process.fork import leave_behind
from asgi_auth.process.log import logger
from asgi_auth.sessions.ended import EndedSessions, Key, text_of
from asgi_auth.storage import Storage

#: Sessions of one statement.
BATCH = 500
#: Sessions of one statement from each of the tables in which those that have ended are kept.
EACH = 2


class Revival:
    """Ends the known sessions again, in the background, until the database has taken them all."""

    def __init__(self, storage: Storage, dead: EndedSessions, now: Callable[[], float], leeway: int) -> None:
        """Start with nothing to do; `dead` are the sessions that have ended, `leeway` is how far clocks may differ."""
        self._storage = storage
        self._dead = dead
        self._now = now
        self._leeway = leeway
        #: What is to be done, by table; the newest are at the ends.
        self._left: list[list[Key]] = []
        #: The id up to which all sessions have ended and the time of that, while it is to be done again.
        self._sweep: tuple[str, int] | None = None
        self._task: asyncio.Task[None] | None = None

    def renew(self) -> None:
        """Leave the work of the parent to it, in a forked child."""
        leave_behind(self._task)
        self._task = None

    def begin_anew(self) -> None:
        """Take all sessions that have ended. The newest come first: their ends are the likeliest to be lost."""
        self._left = self._dead.keys()
        if self._dead.up_to:
            self._sweep = text_of(self._dead.up_to), self._dead.swept_at

    def go_on(self) -> None:
        """Work in the background of the running event loop, unless that is done or under way."""
        if (self._left or self._sweep) and (self._task is None or self._task.done()):
            self._task = begin(self._work(), "ending again")

    def stop(self) -> None:
        """Stop the work of the running event loop; it goes on with the next `go_on`."""
        if self._task is not None and self._task.get_loop() is asyncio.get_running_loop():
            self._task.cancel()

    async def _work(self) -> None:
        number = 0
        try:
            while tables := self._left:
                batch = [text_of(key) for table in tables for key in table[-EACH:]]
                number += len(await self._storage.end_again(batch, int(self._now())))
                for table in tables:
                    del table[-EACH:]
                self._left = [table for table in self._left if table]
            while sweep := self._sweep:
                number += await self._sweep_again(*sweep)
                if sweep == self._sweep:
                    self._sweep = None
        except StorageUnavailableError:
            # The next synchronization goes on.
            pass
        finally:
            if number:
                logger.warning("asgi_auth has ended %d sessions again that a failover or a restore had revived", number)

    async def _sweep_again(self, up_to: str, at: int) -> int:
        """End the live sessions that had ended all at once; return their number.

        Nothing tells them from those that began in the same moment, by the clocks of the processes. These end, too.
        """
        after, number = "", 0
        begun_by = at + self._leeway
        while ended := await self._storage.end_batch(after, int(self._now()), BATCH, up_to=up_to, begun_by=begun_by):
            after, number = ended[-1], number + len(ended)
        return number
