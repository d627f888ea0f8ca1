"""The one stream of events: from the code that emits them to the log, the features and the host's hooks."""

import hmac
from collections.abc import Callable, Sequence
from typing import Any

from asgi_auth.crypto.keys import KeyRing
from asgi_auth.errors import AuthError
from asgi_auth.events import log as event_log
from asgi_auth.events.hooks import FAILURES, Hooks, log_failure
from asgi_auth.events.outages import Outages
from asgi_auth.events.telemetry import Telemetry
from asgi_auth.feature.base import BaseFeature
from asgi_auth.feature.call import ACTOR, Call, running
from asgi_auth.model import event_types as events
from asgi_auth.model.event_types import Action, Outcome
from asgi_auth.model.records import Client, Event
from asgi_auth.sessions.identity import ANONYMOUS, current
from asgi_auth.settings import Settings
from asgi_auth.validation.email_address import canonical_or_none

DIGEST = 32
#: The statuses of requests that cannot be read, or have invalid fields.
UNREADABLE = {400, 408, 413, 415, 422}


class Stream:
    """The events of an `Auth`: `auth.stream`. Errors of receivers are logged, and not raised."""

    def __init__(
        self, features: Sequence[BaseFeature], settings: Settings, keys: KeyRing, now: Callable[[], float]
    ) -> None:
        """Take the features, which may declare actions beyond those of the library."""
        self.hooks: Hooks = Hooks()
        self.telemetry: Telemetry | None = Telemetry() if settings.telemetry else None
        self.actions: dict[str, Action] = dict(events.ACTIONS)
        for feature in features:
            self.actions.update(feature.actions)
        self._features = [feature for feature in features if feature.overrides("observe")]
        self._keys = keys
        self._now = now
        self._outages = Outages()
        self._observers: dict[str, list[BaseFeature]] = {}

    def outcomes(self, name: str) -> tuple[Outcome, ...]:
        """Return the default outcomes of a name: both for `*`, else the usual one."""
        return (self.actions[name].usual,) if name in self.actions else ("success", "failure")

    def digest(self, value: str) -> str:
        """Return the keyed digest that stands for a session id or an address in logs and audit records.

        Empty before the first start, when there are no keys.
        """
        if not self._keys.is_bound:
            return ""
        key = self._keys.derived("event")[0]
        return hmac.digest(key, value.encode(errors="surrogatepass"), "sha256").hex()[:DIGEST]

    async def emit(
        self,
        name: str,
        *,
        outcome: Outcome = "success",
        user_id: str | None = None,
        session_id: str | None = None,
        client: Client | None = None,
        data: dict[str, Any] | None = None,
        account: str | None = None,
        written: bool = True,
        actor: str | None = None,
    ) -> None:
        """Log the event, if it is to be `written`, then pass it to features and hooks; a no-op without receivers.

        `actor` is by default that of the running call, or of the request of the host.
        """
        client, data = client or Client(), data or {}
        observers, level = self._observers_of(name), event_log.level_of(outcome, data)
        if not (observers or self.telemetry or self.hooks.receive(name, outcome) or event_log.is_written(level)):
            return
        client = client.without_cookies() if client.cookies else client
        client = client if client.request_id else client.identified()
        actor = actor or (running.get() or {}).get(ACTOR) or _actor_of_request()
        event = Event(
            name=name,
            outcome=outcome,
            code=getattr(self.actions.get(name), outcome, ""),
            at=int(self._now()),
            user_id=user_id,
            session_id=session_id,
            session=self.digest(session_id) if session_id else None,
            client=client,
            account=account,
            data=data,
            actor=actor if actor != user_id else None,
        )
        if written:
            event_log.write(event, level)
        await self._deliver(event, observers)

    async def report_refusal(self, error: AuthError, client: Client, call: Call | None = None) -> None:
        """Emit the event of a refusal, once for each error; a wrong path is no event."""
        name = _name_of(error, call)
        if name is None or error.reported:
            return
        error.reported = True
        # Events go to features and hooks each time. The log has the cause of an outage once in an interval.
        written = error.status < 500 or self._outages.note(error)
        data: dict[str, Any] = {"reason": error.code} | ({"cause": error.cause} if error.cause else {})
        user_id, session_id = error.user_id, error.session_id
        if call is not None:
            data["endpoint"] = call.endpoint.name
            account = self._account(call)
            data |= account
            # A refusal about an address is not one about the caller: the caller can list records about itself, and
            # would find those about addresses without an account alone.
            if not account:
                user_id, session_id = (
                    user_id or call.identity.id or None,
                    session_id or call.identity.session_id or None,
                )
        await self.emit(
            name,
            outcome="failure",
            user_id=user_id,
            session_id=session_id,
            client=client,
            data=data,
            written=written,
            actor=call.identity.actor if call is not None else None,
        )

    async def _deliver(self, event: Event, observers: Sequence[BaseFeature]) -> None:
        if self.telemetry is not None:
            try:
                self.telemetry.count(event)
            except FAILURES as error:
                log_failure(error, "a meter failed")
        for feature in observers:
            try:
                await feature.observe(event)
            except FAILURES as error:
                log_failure(error, "a feature failed to observe %s", event.name)
        await self.hooks.after(event)

    def _observers_of(self, name: str) -> list[BaseFeature]:
        """Return the features that receive an event; worked out once for each name."""
        if name not in self._observers:
            self._observers[name] = [item for item in self._features if item.observes is None or name in item.observes]
        return self._observers[name]

    def _account(self, call: Call) -> dict[str, str]:
        """Return a digest of the address in the body: it identifies the attacked account without the address."""
        typed = call.values.get("email") or call.values.get("username")
        canonical = canonical_or_none(typed) if isinstance(typed, str) else None
        digest = self.digest(canonical) if canonical else ""
        return {"account": digest} if digest else {}


def _actor_of_request() -> str | None:
    """Return the actor of the host's request; None without one."""
    identity = current.get()
    return identity.actor if identity is not ANONYMOUS else None


def _name_of(error: AuthError, call: Call | None) -> str | None:
    """Name the action that failed: the error's own, else access for a missing login, else the endpoint's."""
    if error.event is not None:
        return error.event
    if error.status in UNREADABLE or error.status >= 500:
        return events.SERVICE if error.status >= 500 else events.INPUT
    if call is None:
        return None
    if (call.endpoint.needs_login and not call.identity.is_authenticated) or call.endpoint.event is None:
        return events.ACCESS if error.status in {401, 403} else None
    return call.endpoint.event
