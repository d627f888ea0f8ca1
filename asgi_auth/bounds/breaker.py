"""A circuit breaker: while a server gives no answer, one call asks, and the others are refused at once."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from asgi_auth.bounds.deadline import Deadline, current
from asgi_auth.errors import StorageUnavailableError

#: Seconds that calls wait for the answer to a call that has just begun to ask a silent server.
VERDICT = 0.2
#: Errors of calls that a server has not answered: those that were cut off, and those that did not reach it.
NO_ANSWER = (asyncio.CancelledError, TimeoutError, StorageUnavailableError)


class Breaker:
    """Watches the answers of one server, for one event loop.

    The server is silent from the moment when a call gives up that has waited for at least `patience` seconds, and in
    that time no call had an answer. Any answer, an error included, ends the silence: a slow server is never silent.
    """

    def __init__(self, patience: float, on_silence: Callable[[], None] = lambda: None, *, probe: float = 1.0) -> None:
        """Take the patience in seconds. `on_silence` refuses the calls that wait for others to get an answer.

        The call that asks a silent server waits for `probe` seconds, at most the patience: its client should not pay
        for all others.
        """
        self.is_silent = False
        self._patience = patience
        self._probe_seconds = min(probe, patience)
        self._bound: tuple[asyncio.Timeout, float | None] | None = None
        self._on_silence = on_silence
        self._answered_at = -math.inf
        self._probe: asyncio.Future[None] | None = None
        self._probing_since = 0.0

    @asynccontextmanager
    async def bounded(self, seconds: float, *, asks: bool) -> AsyncIterator[tuple[Deadline, asyncio.Timeout]]:
        """Hold a call to the server: within the deadline of the request, and so many seconds at most.

        With `asks`, the block is one question: its end is an answer, unless it is cancelled or out of time. Otherwise
        the block notes each answer itself. Raises StorageUnavailableError at the end of the time, and at once while
        the server is silent and another call asks it.
        """
        request = current()
        deadline = request or Deadline(seconds)
        left = deadline.left(seconds)
        if not left:
            # A statement that is sent and then cut costs its connection.
            raise StorageUnavailableError
        try:
            async with asyncio.timeout(left) as cut:
                probe = await self.admit(cut) if self.is_silent else None
                since = time.monotonic()
                is_answer = asks
                try:
                    yield deadline, cut
                except BaseException as error:
                    is_answer = asks and not isinstance(error, NO_ANSWER)
                    if asks and isinstance(error, asyncio.CancelledError | TimeoutError):
                        self.gave_up(since)
                    raise
                finally:
                    if is_answer:
                        self._answered_at = time.monotonic()
                        if self.is_silent:
                            self.answered()
                    if probe is not None:
                        self.leave(probe)
        except TimeoutError as error:
            if cut.expired():
                raise StorageUnavailableError from error
            raise
        finally:
            if request is None:
                deadline.close()

    async def admit(self, bound: asyncio.Timeout | None = None) -> "asyncio.Future[None] | None":
        """Let a call through; raise StorageUnavailableError while the server is silent and another call asks it.

        Returns what the call must pass to `leave`. `bound` is the timeout of the call: shorter for the one that asks,
        until it has an answer.
        """
        end = time.monotonic() + VERDICT
        while self.is_silent:
            now = time.monotonic()
            if self._probe is None:
                self._probe = asyncio.get_running_loop().create_future()
                self._probing_since = now
                if bound is not None:
                    self._shorten(bound)
                return self._probe
            patience = min(end, self._probing_since + VERDICT) - now
            if patience <= 0:
                raise StorageUnavailableError
            await asyncio.wait([self._probe], timeout=patience)
        return None

    def leave(self, probe: "asyncio.Future[None] | None") -> None:
        """End a call, whatever came of it: if it was the one that asks, the next call asks."""
        if probe is not None and probe is self._probe:
            self._end_probe()

    def asking(self) -> "Asking":
        """Return a context manager for the wait for one answer."""
        return Asking(self)

    def answered(self) -> None:
        """Note an answer."""
        self._answered_at = time.monotonic()
        if self.is_silent:
            self.is_silent = False
            self._end_probe()

    def gave_up(self, since: float) -> None:
        """Note that a call has waited for an answer since a time of `time.monotonic()`, and waits no longer."""
        if self._answered_at < since and time.monotonic() - since >= self._patience and not self.is_silent:
            self.is_silent = True
            self._on_silence()

    def _shorten(self, bound: asyncio.Timeout) -> None:
        end, full = asyncio.get_running_loop().time() + self._probe_seconds, bound.when()
        self._bound = (bound, full)
        bound.reschedule(end if full is None else min(end, full))

    def _end_probe(self) -> None:
        if self._bound is not None:
            bound, full = self._bound
            self._bound = None
            if not self.is_silent and not bound.expired():
                bound.reschedule(full)
        if self._probe is not None and not self._probe.done():
            self._probe.set_result(None)
        self._probe = None


class Asking:
    """The wait for one answer. Only a call that was cut off or timed out has had none."""

    __slots__ = ("_breaker", "_since")

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self._since = 0.0

    def __enter__(self) -> None:
        """Begin to wait."""
        self._since = time.monotonic()

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Note the answer, or that there was none."""
        if isinstance(error, asyncio.CancelledError | TimeoutError):
            self._breaker.gave_up(self._since)
        else:
            self._breaker.answered()
