"""Purge: what has expired is deleted in passing, in small batches, by one process at a time."""

import asyncio
import logging
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from asgi_auth._per_loop import PerLoop
from asgi_auth.feature import Feature

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

logger = logging.getLogger("asgi_auth")
#: How long what has expired is kept, in seconds: mails are counted for an hour, and a clock may be wrong.
KEPT = 86400
BATCH = 500
PAUSE = 0.2
#: How long one run may take, and for how long the lease of a process that died keeps the others from it, in seconds.
LONGEST = 240
LEASE = 300


class Purger:
    """Deletes sessions, one-time tokens and counters a day after they expired, and what the features name.

    At most `batch` rows of a table in one statement, and `pause` seconds before each, so that nobody waits for it.
    """

    def __init__(self, auth: "Auth", *, batch: int = BATCH, pause: float = PAUSE) -> None:
        """Belong to an `Auth`."""
        self.batch = batch
        self.pause = pause
        self._auth = auth
        self._due: float | None = None
        self._tasks: PerLoop[asyncio.Task[None]] = PerLoop(lambda _: None)

    def nudge(self) -> None:
        """Begin in the background when it is time, and return at once."""
        now, interval = self._auth.now(), self._auth.settings.purge_interval
        if not interval:
            return
        if self._due is None:
            # Processes that start together don't come together, and one that never lives long has its chance, too.
            self._due = now + interval * random.random()  # noqa: S311 (jitter, no secret)
        task = self._tasks.get()
        if now >= self._due and (task is None or task.done()):
            self._due = now + interval * random.uniform(0.75, 1.25)  # noqa: S311 (jitter, no secret)
            self._tasks.set(asyncio.create_task(self._in_background(), name="asgi_auth purge"))

    async def run(self) -> int:
        """Purge, for four minutes at most, and return how many rows went; none while another process is at it."""
        storage, now = self._auth.storage, int(self._auth.now())
        # A row is a lease on every driver, and behind pgbouncer, where advisory locks of a session leak.
        if (await storage.count("purge", now, LEASE)).count > 1:
            return 0
        try:
            return await self._batches(now)
        finally:
            await storage.clear_counter("purge")

    async def stop(self) -> None:
        """End what runs in the background of this loop."""
        task = self._tasks.pop()
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _batches(self, now: int) -> int:
        features = [item for item in self._auth.features if type(item).purge is not Feature.purge]
        deleted, end = 0, time.monotonic() + LONGEST
        for purge in (self._expired, *(feature.purge for feature in features)):
            while time.monotonic() < end:
                await asyncio.sleep(self.pause)
                if not (count := await purge(now, self.batch)):
                    break
                deleted += count
        return deleted

    async def _expired(self, now: int, batch: int) -> int:
        return await self._auth.storage.purge(now - KEPT, batch)

    async def _in_background(self) -> None:
        try:
            await self.run()
        except Exception:
            logger.exception("asgi_auth failed to purge; it will try again")
