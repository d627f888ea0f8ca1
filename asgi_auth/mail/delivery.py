"""Background delivery of mails: one task per mail, a limited number of workers, and retries."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Any, cast

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.settling import hand_over
from asgi_auth.mail.message import Mailer
from asgi_auth.mail.send_once import GiveUpError, PendingMail, WriteLetter, send_once
from asgi_auth.mail.templates import Templates
from asgi_auth.model import event_types as events
from asgi_auth.process.background import begin
from asgi_auth.process.log import logger

#: Seconds before each retry.
DELAYS = (1.0, 4.0, 16.0, 64.0)
#: Seconds between two reports of dropped mails.
REPORT_INTERVAL = 60.0
#: The longest random delay before the first attempt, in seconds.
PAUSE = 0.2
#: The number of recent waits for a mail from which decoys draw theirs.
SAMPLE = 32


class _Queue:
    """The mails in flight of one event loop."""

    def __init__(self, workers: int) -> None:
        self.workers = asyncio.Semaphore(workers)
        self.tasks: set[asyncio.Task[None]] = set()
        self.decoys: set[asyncio.Task[None]] = set()
        #: When each waiting task makes its next attempt, in seconds of the loop's clock.
        self.retry_at: dict[asyncio.Task[None], float] = {}
        #: When the current drain ends, in seconds of the loop's clock.
        self.drain_ends: float | None = None
        #: The mails that were dropped since the last report, and when that was, in seconds of the loop's clock.
        self.dropped = 0
        self.reported_at = float("-inf")
        self.next_report: asyncio.TimerHandle | None = None

    def spawn(self, work: Coroutine[Any, Any, None], *, decoy: bool = False) -> asyncio.Task[None]:
        """Start a task, and keep a reference until the task ends: asyncio itself keeps none."""
        task = begin(work, "mail")
        tasks = self.decoys if decoy else self.tasks
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def wait_for_retry(self, seconds: float) -> None:
        """Sleep until the next attempt. Raises GiveUpError when that is after the end of a drain."""
        due = asyncio.get_running_loop().time() + seconds
        if self.drain_ends is not None and due > self.drain_ends:
            raise GiveUpError("closed", "the next attempt would be too late")
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self.retry_at[task] = due
        try:
            await asyncio.sleep(seconds)
        finally:
            del self.retry_at[task]

    async def finish(self) -> None:
        """Wait until no mail is in flight."""
        while in_flight := self.tasks | self.decoys:
            await asyncio.wait(in_flight)


class Delivery:
    """Writes, renders, and sends mails in background tasks of the running loop: `auth.mail`.

    `limit` mails can be in flight; further mails are dropped. At most `workers` mails are sent at the same time. The
    first attempt starts after a random delay of up to `pause` seconds. A failed attempt is retried after each of
    `delays` (seconds), unless the mailer raised a final MailError.

    Decoy mails are rendered but not sent, and use no queue slot. They cost the same work as real mails: response times
    do not reveal which accounts exist.

    Each mail ends in an event `mail` with its `purpose`. A failure also has a `reason`: `queue_full`, `not_written`,
    `no_mailer`, `not_rendered`, `refused`, `unreachable`, or `closed`. Decoys cause no event.
    """

    def __init__(
        self,
        mailer: Mailer | None,
        templates: Templates,
        emit: Callable[..., Awaitable[None]],
        *,
        limit: int = 1000,
        workers: int = 4,
        delays: Sequence[float] = DELAYS,
        pause: float = PAUSE,
    ) -> None:
        """Take the mailer, the templates, and the function that emits events. Without a mailer, every mail fails."""
        self.mailer = mailer
        self.delays = delays
        self.pause = pause
        self._templates = templates
        self._emit = emit
        self._limit = limit
        self._workers = workers
        self._queues: PerLoop[_Queue] = PerLoop(_log_lost)
        #: The seconds that recent calls with a mail have waited for it.
        self._waits: deque[float] = deque(maxlen=SAMPLE)

    def send_later(self, write: WriteLetter, *, decoy: bool = False) -> None:
        """Queue a mail and return at once. Never raises an error for a failed mail.

        `write` is called outside of the request. It can use the storage, and returns None if there is nothing to send.
        Set `decoy` if the letter has no recipient.
        """
        queue = self._queues.get() or self._queues.set(_Queue(self._workers))
        if len(queue.decoys if decoy else queue.tasks) < self._limit:
            hand_over(self.settle, (queue.spawn(self._deliver(queue, PendingMail(write)), decoy=decoy), decoy))
            return
        if decoy:
            return
        queue.dropped += 1
        if queue.dropped == 1:
            self._plan_report(queue)

    async def settle(self, handed: Sequence[tuple[asyncio.Task[None], bool]], seconds: float) -> None:
        """Wait for the mails of a call, `seconds` at most. Mails that take longer are sent after the answer.

        A call with decoys alone waits as long as a recent call with a mail has waited: the time of the answer does not
        tell which of them it was.
        """
        began = asyncio.get_running_loop().time()
        real = [task for task, is_decoy in handed if not is_decoy]
        await asyncio.wait([task for task, _ in handed], timeout=seconds)
        waited = asyncio.get_running_loop().time() - began
        if not real:
            await asyncio.sleep(min(seconds, random.choice(self._waits or [0.0])) - waited)  # noqa: S311 (no secret)
            return
        self._waits.append(waited)
        if late := sum(not task.done() for task in real):
            logger.warning("%d mails could not be sent before the answer, and are tried again after it", late)

    async def idle(self, seconds: float = 10) -> None:
        """Wait until no mail is in flight. Raises TimeoutError after `seconds`."""
        queue = self._queues.get()
        if queue is not None:
            async with asyncio.timeout(seconds):
                await queue.finish()

    async def drain(self, seconds: float) -> None:
        """Wait for the mails that can be sent within `seconds`, and give up the others."""
        queue = self._queues.get()
        if queue is None:
            return
        queue.drain_ends = asyncio.get_running_loop().time() + seconds
        if queue.next_report is not None:
            queue.next_report.cancel()
            if queue.dropped:
                queue.spawn(self._report_dropped(queue))
        try:
            _cancel(task for task, due in queue.retry_at.items() if due > queue.drain_ends)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await queue.finish()
        finally:
            queue.drain_ends = None
            queue.reported_at = float("-inf")
            _cancel(queue.tasks | queue.decoys)
        if in_flight := queue.tasks | queue.decoys:
            # Cancelled tasks still emit their events.
            await asyncio.wait(in_flight, timeout=1)

    async def _deliver(self, queue: _Queue, pending: PendingMail) -> None:
        """Send a mail and emit its event. No event is emitted if there was nothing to send."""
        try:
            if await self._send(queue, pending):
                await self._emit(events.MAIL, user_id=pending.user_id, data={"purpose": pending.purpose})
        except GiveUpError as error:
            await self._report_failure(pending, error.reason, error.detail)
        except asyncio.CancelledError:
            if asyncio.current_task() not in queue.decoys:
                await self._report_failure(pending, "closed", "there was no time left")
            raise

    async def _send(self, queue: _Queue, pending: PendingMail) -> bool:
        """Attempt to send a mail until it is sent. Returns False if there was nothing to send. Raises GiveUpError."""
        # The work of a mail must not show in the response time of its request, nor in that of the next one.
        await asyncio.sleep(random.uniform(0, self.pause))  # noqa: S311 (not a secret)
        for delay in (None, *self.delays):
            if delay is not None:
                await queue.wait_for_retry(delay)
            async with queue.workers:
                result = await send_once(pending, self.mailer, self._templates)
            if result != "retry":
                return result == "sent"
        raise GiveUpError("unreachable", pending.last_error)

    async def _report_failure(self, pending: PendingMail, reason: str, detail: str) -> None:
        logger.error("mail %s was not sent, %s: %s", pending.purpose or "(unwritten)", reason, detail)
        data = {"purpose": pending.purpose, "reason": reason}
        await self._emit(events.MAIL, outcome="failure", user_id=pending.user_id, data=data)

    def _plan_report(self, queue: _Queue) -> None:
        """Report dropped mails at once, or an interval after the last report."""
        loop = asyncio.get_running_loop()
        seconds = queue.reported_at + REPORT_INTERVAL - loop.time()
        if seconds <= 0:
            queue.spawn(self._report_dropped(queue))
        else:
            report = lambda: queue.spawn(self._report_dropped(queue))  # noqa: E731 (called once)
            queue.next_report = loop.call_later(seconds, report, context=Context())

    async def _report_dropped(self, queue: _Queue) -> None:
        """Report dropped mails. Mails that are dropped during a report share the next log record and event."""
        count, queue.dropped = queue.dropped, 0
        queue.reported_at = asyncio.get_running_loop().time()
        logger.error("%d mails were dropped: %d mails are in flight already", count, self._limit)
        data = {"purpose": "", "reason": "queue_full", "count": count}
        await self._emit(events.MAIL, outcome="failure", data=data)


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in list(tasks):
        task.cancel()


def _log_lost(queue: _Queue) -> None:
    if queue.tasks:
        logger.error("%d mails were lost: their event loop was closed before they were sent", len(queue.tasks))
