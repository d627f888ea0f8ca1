"""The host's own hooks: functions that hear of events, and functions that may refuse a call."""

import inspect
import logging
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from asgi_auth.events import Outcome
from asgi_auth.feature import Call
from asgi_auth.records import Event

logger = logging.getLogger("asgi_auth")
F = TypeVar("F", bound=Callable[..., Any])
EVERY = "*"


class Hooks:
    """Functions of the host's, sync or async, called in the order in which they came."""

    def __init__(self) -> None:
        """None yet."""
        self._after: dict[tuple[str, Outcome], list[Callable[[Event], Any]]] = {}
        self._before: dict[str, list[Callable[[Call], Any]]] = {}

    def add_after(self, name: str, outcome: Outcome, function: Callable[[Event], Any]) -> None:
        """Add one that hears of an action's outcome."""
        self._after.setdefault((name, outcome), []).append(function)

    def add_before(self, name: str, function: Callable[[Call], Any]) -> None:
        """Add one that is asked before an endpoint runs."""
        self._before.setdefault(name, []).append(function)

    async def before(self, call: Call) -> None:
        """Ask; what one raises refuses the call."""
        for function in self._before.get(call.endpoint.name, ()):
            await _call(function, call)

    async def after(self, event: Event) -> None:
        """Tell; an error is logged and changes nothing."""
        for key in ((event.name, event.outcome), (EVERY, event.outcome)):
            for function in self._after.get(key, ()):
                try:
                    await _call(function, event)
                except Exception:
                    logger.exception("a hook failed on %s", event.name)


def check_name(name: str, known: Collection[str]) -> None:
    """Raise ValueError, with the names that there are, for one that there isn't."""
    if name not in known:
        raise ValueError(f"there is no {name!r}; there are {', '.join(sorted(known))}")


async def _call(function: Callable[[Any], Any], value: object) -> None:
    result = function(value)
    if inspect.isawaitable(result):
        await result
