"""The queue of audit records: written after the response, in batches, with a size limit."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import Context

import msgspec

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.settling import hand_over
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.records import AuditRecord
from asgi_auth.process.background import begin
from asgi_auth.process.log import logger

BATCH = 100
#: Seconds between two reports of dropped records.
REPORT_INTERVAL = 60.0
Write = Callable[[Sequence[AuditRecord]], Awaitable[None]]


class _Run(msgspec.Struct):
    """The queue of one event loop, and the task that writes it."""

    queued: deque[AuditRecord] = msgspec.field(default_factory=deque)
    lock: asyncio.Lock = msgspec.field(default_factory=asyncio.Lock)
    writer: asyncio.Task[None] | None = None
    #: The records that were dropped since the last report, and when that was, in seconds of the loop's clock.
    dropped: int = 0
    reported_at: float = float("-inf")
    next_report: asyncio.TimerHandle | None = None


class AuditQueue:
    """Queues records and passes batches to `write` every `pause` seconds.

    Records beyond `limit` are dropped, and counted in one line of the log a minute. An unavailable storage is tried
    again every `retry` seconds; batches that fail otherwise are dropped. Every loss is logged.
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
            self._drop(run)
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
            logger.warning("audit records could not be written before the answer, and are tried again after it")

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
        except Exception:
            logger.exception("%d audit records could not be written", len(batch))
        for _ in batch:
            run.queued.popleft()

    def _drop(self, run: _Run) -> None:
        """Count a record that is dropped, and report at once, or an interval after the last report."""
        run.dropped += 1
        if run.next_report is None:
            loop = asyncio.get_running_loop()
            seconds = max(0.0, run.reported_at + REPORT_INTERVAL - loop.time())
            run.next_report = loop.call_later(seconds, _report_dropped, run, loop.time, context=Context())


def _report_dropped(run: _Run, time: Callable[[], float]) -> None:
    """Log the number of dropped records. Those that are dropped later share the next line."""
    logger.error("%d audit records were dropped: the queue is full", run.dropped)
    run.dropped, run.reported_at, run.next_report = 0, time(), None


def _log_lost(run: _Run) -> None:
    if run.next_report is not None:
        run.next_report.cancel()
        _report_dropped(run, lambda: float("-inf"))
    if run.queued:
        logger.error("%d audit records were lost: the storage was unavailable or too slow", len(run.queued))
