"""The pipeline of endpoint calls: the same steps over HTTP, from a form and in process."""

import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, Protocol

import msgspec

from asgi_auth.bounds.deadline import TO_SETTLE, Deadline, deadline
from asgi_auth.bounds.replica import calling, reading_replica
from asgi_auth.bounds.settling import Settling
from asgi_auth.errors import (
    AuthError,
    BadRequestError,
    InvalidClientError,
    SecondFactorNeededError,
    ServiceUnavailableError,
    ValidationError,
)
from asgi_auth.feature.account_names import AccountNames, Naming
from asgi_auth.feature.admission import Admission
from asgi_auth.feature.call import ACTOR, BASIC, NAMED, Call, Ending, running
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.model.records import Client
from asgi_auth.process.background import finish
from asgi_auth.process.log import logger
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.identity import Identity
from asgi_auth.validation.fields import BodyField
from asgi_auth.validation.user_field import Field

Before = Callable[[Call], Awaitable[None]]
After = Callable[[Call, Ending], Awaitable[None]]
HostHooks = Mapping[str, Sequence[Callable[[Call], Any]]]
Span = Callable[[str], AbstractContextManager[None]]


class Participant(Naming, Protocol):
    """The part of a feature that a call passes."""

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether the feature takes part at an endpoint."""

    def takes_part_after(self, endpoint: Endpoint) -> bool:
        """Tell whether `after` runs at an endpoint, too."""

    def fields_at(self, endpoint: Endpoint) -> Mapping[str, Any]:
        """Return the fields that the feature adds to an endpoint."""

    def overrides(self, hook: str) -> bool:
        """Tell whether the feature has a hook."""

    async def before(self, call: Call) -> None:
        """Run before the endpoint; raise to refuse."""

    async def refused(self, call: Call) -> None:
        """Run after a body was refused for its form; raise to refuse for another reason."""

    async def after(self, call: Call, ending: Ending) -> None:
        """Run after the endpoint, or after a refusal."""


class Pipeline:
    """Checks the arguments, runs the hooks of features and host, calls the method, and reports a refusal."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        features: Sequence[Participant],
        admission: Admission,
        fields: Sequence[Field],
        host_hooks: HostHooks,
        events: EventSink,
        start: Callable[[], Awaitable[None]],
        span: Span | None,
        timeout: float,
        *,
        after_answer: bool = True,
    ) -> None:
        """Take the features that may take part, the check of callers, and the function that starts the storage.

        A call has `timeout` seconds for all its steps, unless the request that it belongs to has a deadline already.
        Without `after_answer` it waits for its mails and records.
        """
        self._features = features
        self.admission = admission
        self._declared = fields
        self._host_hooks = host_hooks
        self._events = events
        self._start = start
        self.span = span
        self._timeout = timeout
        self._after_answer = after_answer
        self.names: AccountNames = AccountNames(features)
        self._has_names = any(feature.names_by for feature in features)
        self._added: dict[Endpoint, dict[str, BodyField]] = {}
        self._all_fields: dict[Endpoint, dict[str, BodyField]] = {}
        self._plans: dict[Endpoint, tuple[list[Before], list[After]]] = {}

    async def run(self, feature: object, call: Call, served: object = None) -> Any:
        """Run a call in process, like a request: with an id, and in the time of one. Raises AuthError."""
        call = msgspec.structs.replace(call, client=call.client.identified())
        async with Settling(enabled=not self._after_answer) as settling:
            with deadline(self._timeout) as bound:
                try:
                    return await self.run_request(feature, call, served)
                finally:
                    settling.seconds = bound.left()

    async def run_request(self, feature: object, call: Call, served: object = None) -> Any:
        """Run the call of a request, which has an id and a deadline, and return its answer. Raises AuthError."""
        try:
            if self.span is None:
                return await self._run(feature, call, served)
            with self.span(call.endpoint.name):
                return await self._run(feature, call, served)
        except AuthError as error:
            if isinstance(error, SecondFactorNeededError):
                await self.admission.explain(error, call.identity)
            await self._events.report_refusal(error, call.client, call)
            raise

    async def _run(self, feature: object, raw: Call, served: object) -> Any:
        endpoint, client = raw.endpoint, raw.client
        identity = await self.admission.check(endpoint, raw.identity)
        notes = {**raw.notes, ACTOR: identity.actor} if identity.actor else dict(raw.notes)
        try:
            values = endpoint.check(self.fields(endpoint), raw.values)
            if endpoint.names and self._has_names:
                values = await self._named(endpoint, values, notes)
        except ValidationError:
            await self.refused(endpoint, client, identity)
            raise
        await self._start()
        names = [name for name in self.added(endpoint) if name in values and name != endpoint.names]
        added = {name: values.pop(name) for name in names}
        call = Call(endpoint, values, client, identity, notes, added, raw.cookies)
        token = running.set(call.notes)
        ending: Ending = "failed"
        try:
            await self._before(call)
            if endpoint.needs_program and BASIC not in call.notes:
                raise InvalidClientError
            try:
                given = {"client": client, "identity": identity, "served": served, "basic": call.notes.get(BASIC)}
                given = {name: given[name] for name in endpoint.injected}
                with calling(identity.id), reading_replica(allowed=endpoint.replica):
                    answer = await endpoint.function(feature, **values, **given)
                ending = "done"
            except AuthError as error:
                # A malformed request was not judged.
                ending = "failed" if error.status >= 500 or isinstance(error, BadRequestError) else "refused"
                raise
            return answer
        finally:
            try:
                if self._plan(endpoint)[1]:
                    # A guess whose call is cancelled must not stay in flight.
                    await finish(self._after(call, ending))
            finally:
                running.reset(token)
                call.notes.clear()

    async def _named(self, endpoint: Endpoint, values: dict[str, Any], notes: dict[str, Any]) -> dict[str, Any]:
        """Put the address in the place of another name of the account, which is noted."""
        await self._start()
        values, name = await self.names.resolved(endpoint, values)
        if name:
            notes[NAMED] = name
        return values

    async def _before(self, call: Call) -> None:
        for before in self.plan(call.endpoint):
            await before(call)
        for hook in self._host_hooks.get(call.endpoint.name, ()):
            result = hook(call)
            if inspect.isawaitable(result):
                await result

    async def _after(self, call: Call, ending: Ending) -> None:
        """Run the `after` hooks. A refusal that could not be counted is not told to the caller."""
        with Deadline(TO_SETTLE, urgent=True) as bound:
            for after in self._plan(call.endpoint)[1]:
                # Seconds of its own: a guess that was not judged in time must not count.
                bound.until = time.monotonic() + TO_SETTLE
                try:
                    await after(call, ending)
                except Exception as error:
                    if ending == "refused":
                        raise
                    if not isinstance(error, AuthError):
                        logger.exception("a feature failed after %s", call.endpoint.name)

    async def refused(self, endpoint: Endpoint, client: Client, identity: Identity) -> None:
        """Tell the features of a body that was refused for its form; raises their refusal in its place.

        While the database is away, the first refusal stands.
        """
        features = [item for item in self._features if item.overrides("refused") and item.takes_part(endpoint)]
        with suppress(ServiceUnavailableError):
            for feature in features:
                await self._start()
                await feature.refused(Call(endpoint, {}, client, identity))

    def added(self, endpoint: Endpoint) -> dict[str, BodyField]:
        """Return the fields that features add to an endpoint, or make optional, by name; cached. None is required."""
        if endpoint not in self._added:
            found = [item for feature in self._features for item in feature.fields_at(endpoint).items()]
            named = self.names.fields_at(endpoint)
            self._added[endpoint] = named | {name: BodyField(kind, required=False) for name, kind in found}
        return self._added[endpoint]

    def fields(self, endpoint: Endpoint) -> Mapping[str, BodyField]:
        """Return all fields of an endpoint, those of the host and of features too, by name; cached."""
        if endpoint not in self._all_fields:
            self._all_fields[endpoint] = endpoint.all_fields(self._declared) | self.added(endpoint)
        return self._all_fields[endpoint]

    def plan(self, endpoint: Endpoint) -> list[Before]:
        """Return the `before` hooks that take part in an endpoint; cached."""
        return self._plan(endpoint)[0]

    def _plan(self, endpoint: Endpoint) -> tuple[list[Before], list[After]]:
        if endpoint not in self._plans:
            features = [feature for feature in self._features if feature.takes_part(endpoint)]
            afters: list[After] = [feature.after for feature in features if feature.takes_part_after(endpoint)]
            self._plans[endpoint] = ([feature.before for feature in features], afters)
        return self._plans[endpoint]
