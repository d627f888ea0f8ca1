"""The deadline of a request: every step for it, from a statement to a password hash, ends in time."""

import math
import time
from contextvars import ContextVar, Token
from typing import Protocol, Self

#: A bound for the calls that have none: those of a host's code outside of a request.
DEFAULT = 5.0
#: Seconds to count or take back a guess at the end of a call, whether or not the request has seconds left.
TO_SETTLE = 2.0


class Resource(Protocol):
    """Serves requests, and learns how long it works for one."""

    def ended(self, seconds: float) -> None:
        """Learn that a request has ended, so many seconds after the resource began to serve it."""


class Deadline:
    """The time by which a request is to be answered, in seconds of `time.monotonic()`.

    As a context manager it is the `current()` deadline of the tasks and calls inside the block. An `urgent` one belongs
    to work that other requests depend on: it never waits behind new requests.
    """

    __slots__ = ("__weakref__", "_began", "_is_over", "_token", "until", "urgent")

    def __init__(self, seconds: float, *, urgent: bool = False) -> None:
        """Let the time begin."""
        self.until: float = time.monotonic() + seconds
        self.urgent = urgent
        self._began: dict[Resource, float] = {}
        self._is_over = False
        self._token: Token[Deadline | None] | None = None

    def left(self, at_most: float = math.inf) -> float:
        """Return the seconds that are left, 0 or more, for a step that may itself take `at_most`."""
        return min(at_most, max(0.0, self.until - time.monotonic()))

    def postpone(self, seconds: float) -> None:
        """Add seconds that the server did not use, such as those in which the client sent its body."""
        self.until += seconds

    def has_begun(self, resource: Resource) -> bool:
        """Return whether the resource has served this request before: the request is in progress there."""
        return self.urgent or resource in self._began

    def begin(self, resource: Resource) -> bool:
        """Note that the resource serves this request, and return whether it does for the first time."""
        if self.urgent or resource in self._began:
            return False
        self._began[resource] = time.monotonic()
        return True

    def close(self) -> None:
        """End the request: the resources learn how long it took, and background work that it began is not bounded."""
        self._is_over = True
        now = time.monotonic()
        for resource, since in self._began.items():
            resource.ended(now - since)
        self._began.clear()

    def __enter__(self) -> Self:
        """Bound the calls in the block."""
        self._token = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        """End the request."""
        if self._token is not None:
            _current.reset(self._token)
        self.close()

    @property
    def is_over(self) -> bool:
        """Whether the request has ended."""
        return self._is_over


_current: ContextVar[Deadline | None] = ContextVar("asgi_auth_deadline", default=None)


class _Joined:
    """A block inside a request: the deadline of the request goes on."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def __enter__(self) -> Deadline:
        return self._deadline

    def __exit__(self, *_: object) -> None:
        pass


def current() -> Deadline | None:
    """Return the deadline of the request that this call belongs to. None outside of requests, and after their end."""
    found = _current.get()
    return None if found is None or found.is_over else found


def deadline(seconds: float) -> "Deadline | _Joined":
    """Return a context manager: the deadline of the current request, or else a new one in so many seconds."""
    found = current()
    return Deadline(seconds) if found is None else _Joined(found)


def left(at_most: float) -> float:
    """Return the seconds that a step may take which may itself take `at_most`."""
    found = current()
    return at_most if found is None else found.left(at_most)
