"""The one stream of events: from whoever tells of something to features, hooks and the log."""

import hmac
import logging
import secrets
from typing import TYPE_CHECKING, Any

import msgspec

from asgi_auth.errors import AuthError
from asgi_auth.events import log as event_log
from asgi_auth.events.hooks import Hooks
from asgi_auth.events.telemetry import Telemetry
from asgi_auth.feature import Call, Feature
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client, Event
from asgi_auth.validation.email_address import canonical_or_none

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

logger = logging.getLogger("asgi_auth")
DIGEST = 32
#: The statuses of requests that can't be read, or have wrong fields.
UNREADABLE = {400, 408, 413, 415, 422}


class Stream:
    """The events of an `Auth`: `auth.stream`. What goes wrong in telling is logged, and changes nothing."""

    def __init__(self, auth: "Auth") -> None:
        """Learn which actions there are: ours, and those that features declare."""
        self._auth = auth
        self.hooks = Hooks()
        self.telemetry = Telemetry() if auth.settings.telemetry else None
        self._key = auth.keys.derived("event")[0]
        self.actions = dict(events.ACTIONS)
        for feature in auth.features:
            self.actions.update(feature.actions)
        self._observers: dict[str, list[Feature]] = {}

    def outcomes(self, name: str) -> tuple[events.Outcome, ...]:
        """What is meant by a name alone: both outcomes of all, else the usual one."""
        return (self.actions[name].usual,) if name in self.actions else ("success", "failure")

    def digest(self, value: str) -> str:
        """A keyed digest that stands for a session, or an address, in all that is written down."""
        return hmac.digest(self._key, value.encode(errors="surrogatepass"), "sha256").hex()[:DIGEST]

    async def tell(
        self,
        name: str,
        outcome: events.Outcome,
        *,
        user_id: str | None,
        session_id: str | None,
        client: Client,
        data: dict[str, Any],
        account: str | None = None,
    ) -> None:
        """Log the event, then tell the features, then the hooks; nothing is made of one that nobody hears."""
        observers, level = self._observers_of(name), event_log.level_of(outcome, data)
        if not (observers or self.telemetry or self.hooks.hear(name, outcome) or event_log.is_written(level)):
            return
        action = self.actions.get(name)
        if not client.request_id:
            client = msgspec.structs.replace(client, request_id=secrets.token_hex(8))
        event = Event(
            name=name,
            outcome=outcome,
            code=getattr(action, outcome, ""),
            at=int(self._auth.now()),
            user_id=user_id,
            session_id=session_id,
            session=self.digest(session_id) if session_id else None,
            client=client,
            account=account,
            data=data,
        )
        event_log.write(event, level)
        if self.telemetry is not None:
            self.telemetry.count(event)
        for feature in observers:
            try:
                await feature.observe(event)
            except Exception:
                logger.exception("a feature failed to observe %s", name)
        await self.hooks.after(event)

    def _observers_of(self, name: str) -> list[Feature]:
        if name not in self._observers:
            able = [item for item in self._auth.features if type(item).observe is not Feature.observe]
            self._observers[name] = [item for item in able if _hears(item, name)]
        return self._observers[name]

    async def report_refusal(self, error: AuthError, client: Client, call: Call | None) -> None:
        """Tell of a refusal, once, if it means something: a wrong path doesn't."""
        name = _name_of(error, call)
        if name is None or error.reported:
            return
        error.reported = True
        data: dict[str, Any] = {"reason": error.code}
        user_id, session_id = error.user_id, error.session_id
        if call is not None:
            data["endpoint"] = call.endpoint.name
            data |= self._account(call)
            user_id, session_id = user_id or call.identity.id or None, session_id or call.identity.session_id or None
        await self.tell(name, "failure", user_id=user_id, session_id=session_id, client=client, data=data)

    def _account(self, call: Call) -> dict[str, str]:
        """A digest of the address that was typed: it says who is guessed at, and never what was typed."""
        typed = call.values.get("email") or call.values.get("username")
        canonical = canonical_or_none(typed) if isinstance(typed, str) else None
        return {"account": self.digest(canonical)} if canonical else {}


def _hears(feature: Feature, name: str) -> bool:
    try:
        return feature.hears(name)
    except Exception:
        logger.exception("a feature failed to say whether it hears of %s", name)
        return True


def _name_of(error: AuthError, call: Call | None) -> str | None:
    """The action that has failed: what the error says, else a login that is missing, else what was asked for."""
    if error.event is not None:
        return error.event
    if error.status in UNREADABLE or error.status >= 500:
        return events.SERVICE if error.status >= 500 else events.INPUT
    if call is None:
        return None
    if (call.endpoint.needs_login and not call.identity.is_authenticated) or call.endpoint.event is None:
        return events.ACCESS if error.status in {401, 403} else None
    return call.endpoint.event
