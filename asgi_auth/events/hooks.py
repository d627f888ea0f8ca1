"""The host's own hooks: functions that receive events, and functions that may refuse a call."""

import asyncio
import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from asgi_auth.errors import ForbiddenError
from asgi_auth.feature.call import Call
from asgi_auth.model.event_types import Outcome
from asgi_auth.model.records import Event
from asgi_auth.process.background import is_cancelled
from asgi_auth.process.log import logger

EVERY = "*"
#: The usual error of a host's function that refuses a call; it may raise any other.
REFUSALS = (ForbiddenError,)


#: The errors of receivers of events, which `log_failure` takes.
FAILURES = (Exception, asyncio.CancelledError)


def log_failure(error: BaseException, message: str, *values: str) -> None:
    """Log the error of a receiver of an event. Only the cancellation of the current task is raised."""
    if isinstance(error, asyncio.CancelledError) and is_cancelled():
        raise error
    logger.error(message, *values, exc_info=error)


@contextmanager
def logged(message: str) -> Iterator[None]:
    """Log what the block raises, and go on."""
    try:
        yield
    except FAILURES as error:
        log_failure(error, message)


class Hooks:
    """Functions of the host, sync or async, called in the order in which they were added."""

    def __init__(self) -> None:
        """Start without hooks."""
        self._after: dict[tuple[str, Outcome], list[Callable[[Event], Any]]] = {}
        #: The functions that run before an endpoint, by its name.
        self.before: dict[str, list[Callable[[Call], Any]]] = {}

    def add_after(self, name: str, outcome: Outcome, function: Callable[[Event], Any]) -> None:
        """Add a function that receives the events of an action's outcome."""
        self._after.setdefault((name, outcome), []).append(function)

    def add_before(self, name: str, function: Callable[[Call], Any]) -> None:
        """Add a function that runs before an endpoint, and may refuse the call."""
        self.before.setdefault(name, []).append(function)

    def receive(self, name: str, outcome: Outcome) -> bool:
        """Tell whether a function receives this event."""
        return (name, outcome) in self._after or (EVERY, outcome) in self._after

    async def after(self, event: Event) -> None:
        """Call the functions. Their errors are logged, and not raised."""
        for key in ((event.name, event.outcome), (EVERY, event.outcome)):
            for function in self._after.get(key, ()):
                try:
                    result = function(event)
                    if inspect.isawaitable(result):
                        await result
                except FAILURES as error:
                    log_failure(error, "a hook failed on %s", event.name)


def check_name(name: str, known: Collection[str]) -> None:
    """Raise ValueError for an unknown name; the message lists the known ones."""
    if name not in known:
        raise ValueError(f"there is no {name!r}; there are {', '.join(sorted(known))}")
