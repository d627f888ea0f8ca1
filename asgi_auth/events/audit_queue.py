"""The queue of audit records: written to the storage after the response, in batches, with a bounded length."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec

from asgi_auth._per_loop import PerLoop
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.records import AuditRecord

logger: logging.Logger = logging.getLogger("asgi_auth")
BATCH = 100
Write = Callable[[Sequence[AuditRecord]], Awaitable[None]]


class _Run(msgspec.Struct):
    """The queue of one event loop, and the task that writes it."""

    waiting: deque[AuditRecord] = msgspec.field(default_factory=deque)
    lock: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    writer: asyncio.Task[None] | None = None
    dropped: int = 0


class AuditQueue:
    """Writes records in batches, every `pause` seconds. At most `limit` records wait; further ones are dropped.

    While the storage is unreachable, the queue tries again every `retry` seconds. Records that the storage rejects are
    dropped and logged.
    """

    def __init__(self, write: Write, *, limit: int, pause: float = 0.2, retry: float = 1.0) -> None:
        """Take the function that writes a batch."""
        self.pause = pause
        self.retry = retry
        self._write = write
        self._limit = limit
        self._runs: PerLoop[_Run] = PerLoop(_lost)

    def add(self, record: AuditRecord) -> None:
        """Add a record and return at once; never raises."""
        run = self._runs.get() or self._runs.set(_Run())
        if len(run.waiting) >= self._limit:
            run.dropped += 1
            if run.dropped == 1:
                logger.error("audit records are dropped: %d are waiting already", self._limit)
            return
        run.waiting.append(record)
        if run.writer is None or run.writer.done():
            run.writer = asyncio.create_task(self._run(run), name="asgi_auth audit")

    async def flush(self) -> None:
        """Write all waiting records of the running loop. Raises StorageUnavailableError."""
        run = self._runs.get()
        if run is not None:
            async with run.lock:
                while run.waiting:
                    await self._write_batch(run)

    async def close(self, seconds: float) -> None:
        """Write for at most `seconds`, and log the number of lost records."""
        run = self._runs.pop()
        if run is None:
            return
        if run.writer is not None:
            run.writer.cancel()
            with suppress(asyncio.CancelledError):
                await run.writer
        with suppress(TimeoutError, StorageUnavailableError):
            async with asyncio.timeout(seconds), run.lock:
                while run.waiting:
                    await self._write_batch(run)
        _lost(run)

    async def _run(self, run: _Run) -> None:
        """Write until the queue is empty."""
        pause = self.pause
        while run.waiting:
            await asyncio.sleep(pause)
            try:
                async with run.lock:
                    while run.waiting:
                        await self._write_batch(run)
                pause = self.pause
            except StorageUnavailableError:
                pause = self.retry

    async def _write_batch(self, run: _Run) -> None:
        """Write the oldest records. They leave the queue afterwards, so that a cancelled call loses none."""
        batch = list(run.waiting)[:BATCH]
        try:
            await self._write(batch)
        except StorageUnavailableError:
            raise
        except Exception:
            logger.exception("%d audit records could not be written", len(batch))
        for _ in batch:
            run.waiting.popleft()
        if run.dropped:
            logger.error("%d audit records were dropped", run.dropped)
            run.dropped = 0


def _lost(run: _Run) -> None:
    if run.waiting:
        logger.error("%d audit records were lost: there was no time, or no storage, to write them", len(run.waiting))
