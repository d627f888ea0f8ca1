"""Whether the database that answers is the current one: it has lately acknowledged a write that replicas must have.

After a failover, an earlier primary may go on answering those who cannot see that it was replaced. With a synchronous
standby it cannot acknowledge a commit. So one process writes a heartbeat, and what any process has read counts only
while the last beat that was acknowledged is younger than the allowed lag. Each beat stores that the one before it was
acknowledged: a beat alone proves nothing, since its commit shows up when the wait for the standby is cancelled.

No process is chosen. One that finds the heartbeat old writes it, and the last one that has written goes on.
"""

import asyncio
import random
import time
from collections.abc import Callable

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.deadline import Deadline, left
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.revocations import Beat, Heartbeat
from asgi_auth.process.background import begin
from asgi_auth.storage import Storage

#: Seconds between two beats at most.
EVERY = 0.5
#: Seconds that a request waits for a proof at most.
LONGEST = 2.0


class ProvenDatabase:
    """Knows until when the database is proven to be the current one, and writes its heartbeat when no other does."""

    def __init__(self, storage: Storage, lag: float, proven: Callable[[], None]) -> None:
        """Take the storage, and the seconds for which a proof is good; `proven` is called after each own beat."""
        self._storage = storage
        self._lag = lag
        self._proven = proven
        self._every = min(EVERY, lag / 8)
        self.renew()

    def renew(self) -> None:
        """Start without a proof."""
        #: The monotonic time until which the database counts as the current one.
        self.until: float = float("-inf")
        self._seen: Heartbeat | None = None
        self._beat: Beat | None = None
        self._began = float("-inf")
        self._goes_on = False
        self._attempts: PerLoop[asyncio.Task[StorageUnavailableError | None]] = PerLoop(lambda _: None)

    def see(self, heartbeat: Heartbeat | None, started: float) -> None:
        """Note the heartbeat that was read with the changes, by a query that began at the monotonic time `started`."""
        self._seen = heartbeat
        if heartbeat is None:
            self.until = started + self._lag
            return
        # The clock of a server that was set back makes it old, never young.
        self.until = started - abs(heartbeat.proven) + self._lag
        self._count_own()

    async def keep(self) -> None:
        """Write the heartbeat if it proves too little, or if no process has written it for a while.

        A database that gives no answer has no proof.
        """
        # A proof that is half as old as allowed may not last until the next look of a busy process.
        is_proven = time.monotonic() + self._lag / 2 <= self.until
        if self._seen is None or (is_proven and abs(self._seen.age) <= 3 * self._every):
            return
        try:
            await self._write(3 * self._every if is_proven else -1)
        except StorageUnavailableError:
            self._goes_on = False

    async def run(self) -> None:
        """Go on with the heartbeat while no other process has taken it over, until cancelled."""
        while True:
            await asyncio.sleep(self._every * random.uniform(0.8, 1))  # noqa: S311 (jitter)
            if self._goes_on and time.monotonic() - self._began >= self._every * 0.7:
                try:
                    await self._write(self._every / 2)
                except Exception:  # noqa: BLE001 (the next look finds the heartbeat old, and tells what is wrong)
                    self._goes_on = False

    async def require(self) -> None:
        """Return if what the database says now is current; raises StorageUnavailableError if that cannot be proven.

        Without a recent proof, the requests of an event loop wait for one beat.
        """
        if time.monotonic() <= self.until:
            return
        attempt = self._attempts.get()
        if attempt is None or attempt.done():
            attempt = self._attempts.set(begin(self._prove(), "proof"))
        done, _ = await asyncio.wait([attempt], timeout=left(LONGEST))
        if not done:
            raise StorageUnavailableError
        if error := attempt.result():
            raise StorageUnavailableError from error

    async def _prove(self) -> StorageUnavailableError | None:
        began = time.monotonic()
        try:
            if await self._write(-1) is None:
                self.until = max(self.until, began + self._lag)
            else:
                self.until = max(self.until, self._began + self._lag)
        except StorageUnavailableError as error:
            return error
        return None

    async def _write(self, after: float) -> Beat | None:
        began = time.monotonic()
        with Deadline(LONGEST, urgent=True):
            beat = await self._storage.beat(after, self._beat)
        self._goes_on = beat is not None
        if beat is not None:
            self._beat, self._began = beat, began
            self._count_own()
            self._proven()
        return beat

    def _count_own(self) -> None:
        """Count a beat of this process on the server whose changes it has read."""
        if self._beat is not None and self._seen is not None and self._beat.server == self._seen.server:
            self.until = max(self.until, self._began + self._lag)
