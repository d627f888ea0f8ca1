"""The interface by which services emit events. `events.stream` implements it."""

from typing import Any, Protocol

from asgi_auth.errors import AuthError
from asgi_auth.model.event_types import Outcome
from asgi_auth.model.records import Client


class EventSink(Protocol):
    """Takes events and refusals; a failure of a receiver changes nothing for the caller."""

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
        actor: str | None = None,
    ) -> None:
        """Emit an event to the log, the features and the host's hooks; `actor` is the user who did it."""

    async def report_refusal(self, error: AuthError, client: Client, call: Any = None) -> None:
        """Emit the event of a refusal, once for each error; `call` is None when no endpoint was called."""

    def digest(self, value: str) -> str:
        """Return the keyed digest that stands for a session id or an address in events."""
