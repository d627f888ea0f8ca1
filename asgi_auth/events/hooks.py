"""The host's own hooks: functions that hear of events, and functions that may refuse a call."""

import inspect
import logging
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from asgi_auth.feature import Call, Feature
from asgi_auth.model.event_types import Outcome
from asgi_auth.model.records import Event

if TYPE_CHECKING:
    from asgi_auth.events.stream import Stream

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

    def may_refuse(self, endpoint: str) -> bool:
        """Tell whether a function is asked before this endpoint."""
        return endpoint in self._before

    async def before(self, call: Call) -> None:
        """Ask; what one raises refuses the call."""
        for function in self._before.get(call.endpoint.name, ()):
            await _call(function, call)

    def hear(self, name: str, outcome: Outcome) -> bool:
        """Tell whether a function hears of this."""
        return (name, outcome) in self._after or (EVERY, outcome) in self._after

    async def after(self, event: Event) -> None:
        """Tell; an error is logged and changes nothing."""
        for key in ((event.name, event.outcome), (EVERY, event.outcome)):
            for function in self._after.get(key, ()):
                try:
                    await _call(function, event)
                except Exception:
                    logger.exception("a hook failed on %s", event.name)


class HookRegistry:
    """Takes functions of the host's: the part of `Auth` that does."""

    stream: "Stream"
    features: Sequence[Feature]

    @overload
    def on(self, name: str, function: F, *, outcome: Outcome | None = None) -> F: ...

    @overload
    def on(self, name: str, *, outcome: Outcome | None = None) -> Callable[[F], F]: ...

    def on(self, name: str, function: F | None = None, *, outcome: Outcome | None = None) -> Any:
        """Call a function, async or not, with each event of a name (`*`: of all) after it has happened.

        With its success by default, and with its failure when it can only fail. What the function raises is logged.
        Without a function it is a decorator. Raises ValueError for an unknown name.
        """
        check_name(name, {EVERY, *self.stream.actions})
        if outcome not in {None, "success", "failure"}:
            raise ValueError("the outcome is success or failure")
        if function is None:
            return lambda decorated: self.on(name, decorated, outcome=outcome)
        outcomes: tuple[Outcome, ...] = (outcome,) if outcome else self.stream.outcomes(name)
        for each in outcomes:
            self.stream.hooks.add_after(name, each, function)
        return function

    @overload
    def before(self, name: str, function: F) -> F: ...

    @overload
    def before(self, name: str) -> Callable[[F], F]: ...

    def before(self, name: str, function: F | None = None) -> Any:
        """Call a function, async or not, with the `Call` of an endpoint that is about to run.

        It refuses by raising an AuthError. Without a function it is a decorator. Raises ValueError for an unknown name.
        """
        check_name(name, {endpoint.name for feature in self.features for endpoint in feature.endpoints})
        if function is None:
            return lambda decorated: self.before(name, decorated)
        self.stream.hooks.add_before(name, function)
        return function


def check_name(name: str, known: Collection[str]) -> None:
    """Raise ValueError, with the names that there are, for one that there isn't."""
    if name not in known:
        raise ValueError(f"there is no {name!r}; there are {', '.join(sorted(known))}")


async def _call(function: Callable[[Any], Any], value: object) -> None:
    result = function(value)
    if inspect.isawaitable(result):
        await result
