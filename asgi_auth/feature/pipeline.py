"""The pipeline of endpoint calls: the same steps over HTTP, from a form and in process."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

from asgi_auth.bounds.deadline import deadline
from asgi_auth.errors import AuthError, ServiceUnavailableError, ValidationError
from asgi_auth.feature.call import Call, running
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.model.records import Client
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.identity import Identity
from asgi_auth.validation.fields import Field

Before = Callable[[Call], Awaitable[None]]
HostHooks = Mapping[str, Sequence[Callable[[Call], Any]]]
Span = Callable[[str], AbstractContextManager[None]]


class Participant(Protocol):
    """The part of a feature that a call passes."""

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether `before` runs at an endpoint."""

    def overrides(self, hook: str) -> bool:
        """Tell whether the feature has a hook."""

    async def before(self, call: Call) -> None:
        """Run before the endpoint; raise to refuse."""

    async def refused(self, call: Call) -> None:
        """Run after a body was refused for its form; raise to refuse for another reason."""


class Pipeline:
    """Checks the arguments, runs the hooks of features and host, calls the method, and reports a refusal."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        features: Sequence[Participant],
        fields: Sequence[Field],
        host_hooks: HostHooks,
        events: EventSink,
        start: Callable[[], Awaitable[None]],
        span: Span | None,
        timeout: float,
    ) -> None:
        """Take the features that may take part, and the function that starts the storage.

        A call has `timeout` seconds for all its steps, unless the request that it belongs to has a deadline already.
        """
        self._features = features
        self._fields = fields
        self._host_hooks = host_hooks
        self._events = events
        self._start = start
        self.span = span
        self._timeout = timeout
        self._plans: dict[Endpoint, list[Before]] = {}

    async def run(  # noqa: PLR0917 (names would cost on the way of every call)
        self,
        feature: object,
        endpoint: Endpoint,
        arguments: Mapping[str, Any],
        client: Client,
        identity: Identity,
        served: object = None,
    ) -> Any:
        """Run an endpoint and return its answer; raises AuthError."""
        call = Call(endpoint, arguments, client, identity)
        with deadline(self._timeout):
            try:
                if self.span is None:
                    return await self._run(feature, call, served)
                with self.span(endpoint.name):
                    return await self._run(feature, call, served)
            except AuthError as error:
                await self._events.report_refusal(error, client, call)
                raise

    async def _run(self, feature: object, raw: Call, served: object) -> Any:
        endpoint, client, identity = raw.endpoint, raw.client, raw.identity
        if endpoint.needs_login:
            identity.require()
        try:
            values = endpoint.check(self._fields, raw.values)
        except ValidationError:
            await self.refused(endpoint, client, identity)
            raise
        await self._start()
        call = Call(endpoint, values, client, identity)
        token = running.set(call.notes)
        try:
            for before in self.plan(endpoint):
                await before(call)
            for hook in self._host_hooks.get(endpoint.name, ()):
                result = hook(call)
                if inspect.isawaitable(result):
                    await result
            given = {"client": client, "identity": identity, "served": served}
            return await endpoint.function(feature, **values, **{name: given[name] for name in endpoint.injected})
        finally:
            running.reset(token)
            call.notes.clear()

    async def refused(self, endpoint: Endpoint, client: Client, identity: Identity) -> None:
        """Tell the features of a body that was refused for its form; raises their refusal in its place.

        While the database is away, the first refusal stands.
        """
        features = [item for item in self._features if item.overrides("refused") and item.takes_part(endpoint)]
        with suppress(ServiceUnavailableError):
            for feature in features:
                await self._start()
                await feature.refused(Call(endpoint, {}, client, identity))

    def plan(self, endpoint: Endpoint) -> list[Before]:
        """Return the `before` hooks that take part in an endpoint; cached."""
        if endpoint not in self._plans:
            self._plans[endpoint] = [feature.before for feature in self._features if feature.takes_part(endpoint)]
        return self._plans[endpoint]
