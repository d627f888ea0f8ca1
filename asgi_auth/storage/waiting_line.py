"""The line in front of a resource: requests in progress go first, and new ones that cannot end in time are refused.

Under overload a request that has begun would otherwise wait behind all new ones before each of its steps, and none
would end in time.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from asgi_auth.bounds.deadline import Deadline
from asgi_auth.errors import StorageUnavailableError

T = TypeVar("T")
#: The number of calls that wait; further calls are refused.
MOST = 1000
#: The weight of the newest value in an average, and what is kept of the older counts at each new request.
WEIGHT, KEPT = 0.1, 0.95


class Pace:
    """How much of a resource with so many `places` recent requests needed. None of it is known at first."""

    def __init__(self, places: int) -> None:
        """Know nothing yet."""
        self.places = places
        #: Seconds from the first use by a request to its end.
        self.span = 0.0
        self._hold = 0.0
        self._uses = 0.0
        self._requests = 0.0

    def began(self) -> None:
        """Learn that a request uses the resource for the first time."""
        self._uses *= KEPT
        self._requests = self._requests * KEPT + 1

    def used(self, seconds: float) -> None:
        """Learn how long one use took."""
        self._uses += 1
        self._hold = _average(self._hold, seconds)

    def ended(self, seconds: float) -> None:
        """Learn how long after its first use a request has ended."""
        self.span = _average(self.span, seconds)

    def wait(self, ahead: int) -> float:
        """Return the seconds until a new request is served, with so many ahead of it."""
        return ahead * self._hold * self._uses / max(1.0, self._requests) / self.places


class WaitingLine(Generic[T]):
    """Calls that wait for a T, each with its deadline, in the order of their arrival within each of two groups."""

    def __init__(self, pace: Pace, take_back: Callable[[T], None]) -> None:
        """Take the pace of the resource, and a function that gets a T whose call was cancelled meanwhile."""
        self._pace = pace
        self._take_back = take_back
        self._begun: OrderedDict[asyncio.Future[T], Deadline] = OrderedDict()
        self._new: OrderedDict[asyncio.Future[T], Deadline] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of waiting calls."""
        return len(self._begun) + len(self._new)

    async def wait(self, deadline: Deadline) -> T:
        """Wait for a T. The caller bounds the time, and may cancel.

        Raises StorageUnavailableError at once for a call that cannot be served in time, or if too many wait.
        """
        is_begun = deadline.has_begun(self._pace)
        if len(self) >= MOST or not (is_begun or self._in_time(deadline, len(self._new) + 1)):
            raise StorageUnavailableError
        group = self._begun if is_begun else self._new
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        group[waiter] = deadline
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._take_back(waiter.result())
            raise
        finally:
            group.pop(waiter, None)

    def hand(self, value: T) -> bool:
        """Give a T to the next call, and return whether there was one; refuse new calls that it would not help."""
        while (waiter := self._next()) is not None:
            if not waiter.done():
                waiter.set_result(value)
                self._refuse_late()
                return True
        return False

    def fail(self, error: Exception) -> None:
        """Raise an error in the next call."""
        while (waiter := self._next()) is not None:
            if not waiter.done():
                waiter.set_exception(error)
                return

    def refuse_all(self, error: Exception) -> None:
        """Raise an error in all waiting calls."""
        while len(self):
            self.fail(error)

    def _next(self) -> "asyncio.Future[T] | None":
        """Remove and return the next call, and refuse the new calls before it that are too late."""
        if self._begun:
            return self._begun.popitem(last=False)[0]
        while self._new:
            waiter, deadline = self._new.popitem(last=False)
            if self._in_time(deadline, 0):
                return waiter
            _refuse(waiter)
        return None

    def _refuse_late(self) -> None:
        """Refuse the new calls at the end of the line that cannot be served in time: the pace may have changed."""
        while self._new:
            waiter, deadline = next(reversed(self._new.items()))
            if self._in_time(deadline, len(self._new)):
                return
            del self._new[waiter]
            _refuse(waiter)

    def _in_time(self, deadline: Deadline, ahead: int) -> bool:
        return self._pace.wait(ahead) + self._pace.span <= deadline.left()


def _refuse(waiter: "asyncio.Future[T]") -> None:
    if not waiter.done():
        waiter.set_exception(StorageUnavailableError())


def _average(old: float, new: float) -> float:
    return old + WEIGHT * (new - old) if old else new
