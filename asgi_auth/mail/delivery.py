"""Sends mails after the answer: each is a task of its own, a few at a time, tried again when that may help."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

import msgspec

from asgi_auth._per_loop import PerLoop
from asgi_auth.mail.message import Mailer
from asgi_auth.mail.send_once import EndError, Job, Write, attempt
from asgi_auth.mail.templates import Templates
from asgi_auth.model import event_types as events

logger: logging.Logger = logging.getLogger("asgi_auth")
DELAYS = (1.0, 4.0, 16.0, 64.0)
PAUSE = 0.2


class _Run(msgspec.Struct):
    """What is under way in one event loop. `resting` says when a task will try again, `until` when a drain ends."""

    slots: asyncio.Semaphore
    tasks: set[asyncio.Task[None]] = set()
    decoys: set[asyncio.Task[None]] = set()
    resting: dict[asyncio.Task[None], float] = {}
    until: float | None = None
    dropped: int = 0

    def spawn(self, work: Coroutine[Any, Any, None], *, to_nobody: bool = False) -> None:
        """Begin a task, and hold it until it is done."""
        task = asyncio.create_task(work, name="asgi_auth mail")
        held = self.decoys if to_nobody else self.tasks
        held.add(task)
        task.add_done_callback(held.discard)

    async def rest(self, seconds: float) -> None:
        """Wait for the next try; raise EndError when a drain will be over by then."""
        due = asyncio.get_running_loop().time() + seconds
        if self.until is not None and due > self.until:
            raise EndError("closed", "the next try would be too late")
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self.resting[task] = due
        try:
            await asyncio.sleep(seconds)
        finally:
            del self.resting[task]

    async def finish(self) -> None:
        """Wait until nothing is under way."""
        while under_way := self.tasks | self.decoys:
            await asyncio.wait(under_way)


class Delivery:
    """Writes, renders and sends mails in the background of the running loop, `workers` at a time.

    At most `limit` are under way; one more is dropped. What fails is tried again after each of `delays` (seconds),
    unless the mailer raised a final MailError; the first try comes within `pause` seconds. A letter to nobody is only
    rendered: the same work as for somebody, but it takes no place from others. The event is `mail` with the purpose;
    when it failed with the purpose and one of the reasons `queue_full`, `not_written`, `no_mailer`, `not_rendered`,
    `refused`, `unreachable`, `closed`.
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
        """Compose; `emit` tells of events. Without a mailer every mail fails."""
        self.mailer = mailer
        self.delays = delays
        self.pause = pause
        self._templates = templates
        self._emit = emit
        self._limit = limit
        self._workers = workers
        self._runs: PerLoop[_Run] = PerLoop(_lost)

    def later(self, write: Write, *, to_nobody: bool = False) -> None:
        """Have a letter written and sent soon, and return at once; None is no letter, and that is the end of it.

        `write` runs outside of the request, and may use the storage; `to_nobody` says that no mail will come of it.
        Nothing that goes wrong is raised here.
        """
        run = self._runs.get() or self._runs.set(_Run(asyncio.Semaphore(self._workers)))
        if len(run.decoys if to_nobody else run.tasks) < self._limit:
            run.spawn(self._deliver(run, Job(write)), to_nobody=to_nobody)
            return
        if to_nobody:
            return
        run.dropped += 1
        if run.dropped == 1:
            run.spawn(self._tell_of_dropped(run))

    async def idle(self, seconds: float = 10) -> None:
        """Wait until nothing is under way. Raises TimeoutError."""
        run = self._runs.get()
        if run is not None:
            async with asyncio.timeout(seconds):
                await run.finish()

    async def drain(self, seconds: float) -> None:
        """Wait until all is sent for which the time will do, and give the rest up."""
        run = self._runs.get()
        if run is None:
            return
        run.until = asyncio.get_running_loop().time() + seconds
        try:
            _cancel(task for task, due in run.resting.items() if due > run.until)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await run.finish()
        finally:
            run.until = None
            _cancel(run.tasks | run.decoys)
        if under_way := run.tasks | run.decoys:
            # Those that were cancelled still tell of it.
            await asyncio.wait(under_way, timeout=1)

    async def _deliver(self, run: _Run, job: Job) -> None:
        """See a mail through to one of the two events, or to none when there was no letter."""
        try:
            if await self._tries(run, job):
                await self._emit(events.MAIL, user_id=job.user_id, data={"purpose": job.purpose})
        except EndError as end:
            await self._failed(job, end.reason, end.detail)
        except asyncio.CancelledError:
            if asyncio.current_task() not in run.decoys:
                await self._failed(job, "closed", "there was no more time")
            raise

    async def _tries(self, run: _Run, job: Job) -> bool:
        """Try until it is sent (True) or there was no letter (False); raise EndError when there is no hope."""
        # Not within the request, nor just after it: what a mail costs must not show in the times of answers.
        await asyncio.sleep(random.uniform(0, self.pause))  # noqa: S311 (no secret)
        for delay in (None, *self.delays):
            if delay is not None:
                await run.rest(delay)
            async with run.slots:
                done = await attempt(job, self.mailer, self._templates)
            if done is not False:
                return done is True
        raise EndError("unreachable", job.trouble)

    async def _failed(self, job: Job, reason: str, detail: str) -> None:
        logger.error("mail %s was not sent, %s: %s", job.purpose or "(unwritten)", reason, detail)
        data = {"purpose": job.purpose, "reason": reason}
        await self._emit(events.MAIL, outcome="failure", user_id=job.user_id, data=data)

    async def _tell_of_dropped(self, run: _Run) -> None:
        """Tell of all that were dropped, in one line and event for those that come while the last is told."""
        try:
            while count := run.dropped:
                logger.error("%d mails were dropped: %d are under way already", count, self._limit)
                data = {"purpose": "", "reason": "queue_full", "count": count}
                await self._emit(events.MAIL, outcome="failure", data=data)
                run.dropped -= count
        finally:
            run.dropped = 0


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in list(tasks):
        task.cancel()


def _lost(run: _Run) -> None:
    if run.tasks:
        logger.error("%d mails were lost: their event loop was closed before they were sent", len(run.tasks))
