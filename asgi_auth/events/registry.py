"""The methods by which a host adds its hooks: `auth.on` and `auth.before`."""

from collections.abc import Callable
from typing import Any, TypeVar, overload

from asgi_auth.events.hooks import EVERY, check_name
from asgi_auth.events.stream import Stream
from asgi_auth.feature.base import BaseFeature
from asgi_auth.model.event_types import Outcome

F = TypeVar("F", bound=Callable[..., Any])


class HookRegistry:
    """The part of `Auth` that takes the host's functions."""

    stream: Stream
    features: list[BaseFeature]

    @overload
    def on(self, name: str, function: F, *, outcome: Outcome | None = None) -> F: ...

    @overload
    def on(self, name: str, *, outcome: Outcome | None = None) -> Callable[[F], F]: ...

    def on(self, name: str, function: F | None = None, *, outcome: Outcome | None = None) -> Any:
        """Call a function, sync or async, with each event of a name (`*`: all events) after it has happened.

        By default it receives successes, or failures of an action that can only fail. An error of the function is
        logged. Without a function this is a decorator. Raises ValueError for an unknown name.
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
        """Call a function, sync or async, with the `Call` of an endpoint that is about to run.

        The function refuses the call by raising an AuthError. Without a function this is a decorator. Raises
        ValueError for an unknown name.
        """
        check_name(name, {endpoint.name for feature in self.features for endpoint in feature.endpoints})
        if function is None:
            return lambda decorated: self.before(name, decorated)
        self.stream.hooks.add_before(name, function)
        return function
