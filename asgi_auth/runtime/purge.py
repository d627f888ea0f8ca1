"""Purge: expired rows are deleted in the background, in small batches, by one process at a time."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from asgi_auth._per_loop import PerLoop
from asgi_auth.process.background import begin
from asgi_auth.process.log import logger
from asgi_auth.sessions.clock_watch import ClockWatch
from asgi_auth.storage import Storage

#: Seconds that expired rows are kept: mails are counted for an hour, and a clock may be wrong.
KEPT = 86400
BATCH = 500
#: Does at most a batch of something that is due at a time, and returns how much it was; 0 when nothing is left.
Purge = Callable[[int, int], Awaitable[int]]
PAUSE = 0.2
#: Seconds that one run may take, and seconds after which the lease of a killed process expires.
LONGEST = 240
LEASE = 300


class Purger:
    """Deletes sessions, one-time tokens and counters a day after they expired, and runs the purges of features.

    One statement deletes at most `batch` rows of a table, after `pause` seconds, so that no request waits for it.
    """

    def __init__(
        self,
        storage: Storage,
        purges: Sequence[Purge],
        interval: int,
        now: Callable[[], float],
        clock: ClockWatch,
        *,
        batch: int = BATCH,
        pause: float = PAUSE,
    ) -> None:
        """Take the storage, and the `purges` of services and features.

        `interval` is the seconds between two runs, 0 for none.

        While the `clock` disagrees with that of the database, it can't tell what has expired, and no run begins.
        """
        self.batch = batch
        self.pause = pause
        self._storage = storage
        self._purges = purges
        self._interval = interval
        self._now = now
        self._clock = clock
        self._due: float | None = None
        self._tasks: PerLoop[asyncio.Task[None]] = PerLoop(lambda _: None)

    def nudge(self) -> None:
        """Start a run in the background when it is due; returns at once."""
        now, interval = self._now(), self._interval
        if not interval:
            return
        if self._due is None:
            # Jitter: processes that start together do not run together, and a short-lived one has its chance.
            self._due = now + interval * random.random()  # noqa: S311 (jitter, no secret)
        # A time that is too far away was set by a clock that was ahead.
        if self._due <= now + 2 * interval and now < self._due:
            return
        task = self._tasks.get()
        if (task is None or task.done()) and not self._clock.disagrees:
            self._due = now + interval * random.uniform(0.75, 1.25)  # noqa: S311 (jitter, no secret)
            self._tasks.set(begin(self._in_background(), "purge"))

    async def run(self, progress: Callable[[int], None] = lambda _: None) -> int:
        """Purge for at most four minutes and return the number of deleted rows; 0 while another process does.

        `progress` is told the number after each batch.
        """
        storage, now = self._storage, int(self._now())
        # A row works as a lease on every driver. Advisory locks of a session leak behind pgbouncer.
        if (await storage.count("purge", now, LEASE)).count > 1:
            return 0
        try:
            return await self._batches(now, progress)
        finally:
            await storage.clear_counter("purge")

    async def stop(self) -> None:
        """Cancel the background run of this loop."""
        task = self._tasks.pop()
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _batches(self, now: int, progress: Callable[[int], None]) -> int:
        deleted, end = 0, time.monotonic() + LONGEST
        for purge in (self._expired, *self._purges):
            while time.monotonic() < end:
                await asyncio.sleep(self.pause)
                if not (count := await purge(now, self.batch)):
                    break
                deleted += count
                progress(deleted)
        return deleted

    async def _expired(self, now: int, batch: int) -> int:
        return await self._storage.purge(now - KEPT, batch)

    async def _in_background(self) -> None:
        try:
            await self.run()
        except Exception:
            logger.exception("asgi_auth failed to purge; it will try again")
