"""The queue of audit records: written after the response, in batches, with a size limit."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.settling import hand_over
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.records import AuditRecord
from asgi_auth.process.background import begin
from asgi_auth.process.log import logger
from asgi_auth.process.rare_log import RareLog

BATCH = 100
DROPPED = "%d audit records were dropped: the queue is full"
FAILED = "%d audit records could not be written"
LATE = "audit records could not be written before %d answers, and are tried again after them"
Write = Callable[[Sequence[AuditRecord]], Awaitable[None]]


class _Run(msgspec.Struct):
    """The queue of one event loop, and the task that writes it."""

    queued: deque[AuditRecord] = msgspec.field(default_factory=deque)
    lock: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    writer: asyncio.Task[None] | None = None
    dropped: RareLog = msgspec.field(default_factory=lambda: RareLog(DROPPED))
    failed: RareLog = msgspec.field(default_factory=lambda: RareLog(FAILED))
    late: RareLog = msgspec.field(default_factory=lambda: RareLog(LATE, logging.WARNING))


class AuditQueue:
    """Queues records and passes batches to `write` every `pause` seconds.

    Records beyond `limit` are dropped. An unavailable storage is tried again every `retry` seconds; batches that fail
    otherwise are dropped. Every loss is counted in the log, in one line a minute for each of the two reasons.
    """

    def __init__(self, write: Write, *, limit: int, pause: float = 0.2, retry: float = 1.0) -> None:
        """Take the function that writes a batch; `limit` is the size of the queue in records."""
        self.pause = pause
        self.retry = retry
        self._write = write
        self._limit = limit
        self._runs: PerLoop[_Run] = PerLoop(_log_lost)

    def add(self, record: AuditRecord) -> None:
        """Queue a record and return at once; never raises."""
        run = self._runs.get() or self._runs.set(_Run())
        if len(run.queued) >= self._limit:
            run.dropped.note()
            return
        run.queued.append(record)
        hand_over(self.settle)
        if run.writer is None or run.writer.done():
            run.writer = begin(self._run(run), "audit")

    @property
    def waiting(self) -> int:
        """The number of records of the running loop that wait to be written."""
        run = self._runs.get()
        return len(run.queued) if run is not None else 0

    async def flush(self) -> None:
        """Write the queue of the running loop. Raises StorageUnavailableError."""
        run = self._runs.get()
        if run is not None:
            async with run.lock:
                while run.queued:
                    await self._write_batch(run)

    async def settle(self, _: object, seconds: float) -> None:
        """Write the queue of the running loop for a call, `seconds` at most. What fails is written later."""
        try:
            async with asyncio.timeout(seconds):
                await self.flush()
        except (TimeoutError, StorageUnavailableError):
            if (run := self._runs.get()) is not None:
                run.late.note()

    async def close(self, seconds: float) -> None:
        """Write the queue within `seconds`, and log the number of lost records."""
        run = self._runs.pop()
        if run is None:
            return
        if run.writer is not None:
            run.writer.cancel()
            with suppress(asyncio.CancelledError):
                await run.writer
        with suppress(TimeoutError, StorageUnavailableError):
            async with asyncio.timeout(seconds), run.lock:
                while run.queued:
                    await self._write_batch(run)
        _log_lost(run)

    async def _run(self, run: _Run) -> None:
        """Write until the queue is empty."""
        pause = self.pause
        while run.queued:
            await asyncio.sleep(pause)
            try:
                async with run.lock:
                    while run.queued:
                        await self._write_batch(run)
                pause = self.pause
            except StorageUnavailableError:
                pause = self.retry

    async def _write_batch(self, run: _Run) -> None:
        """Write the oldest records. They stay queued until the write is done: a cancelled call loses none."""
        batch = list(run.queued)[:BATCH]
        try:
            await self._write(batch)
        except StorageUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 (it is logged)
            run.failed.note(len(batch), error)
        for _ in batch:
            run.queued.popleft()


def _log_lost(run: _Run) -> None:
    for each in (run.dropped, run.failed, run.late):
        each.finish()
    if run.queued:
        logger.error("%d audit records were lost: the storage was unavailable or too slow", len(run.queued))
