"""Notices: users get a mail when something about their account has changed (ASVS 6.3.7)."""

from collections.abc import Container
from pathlib import Path
from typing import ClassVar

from asgi_auth.feature import Event, Feature
from asgi_auth.model import event_types as events

PURPOSES = {
    (events.PASSWORD_CHANGE, "success"): "password_changed",
    (events.TOKEN_REUSE, "failure"): "token_reuse",
    (events.FACTOR_ADD, "success"): "factor_added",
    (events.FACTOR_REMOVE, "success"): "factor_removed",
    (events.RECOVERY_CODES, "success"): "recovery_codes_made",
}


class Notices(Feature):
    """Mails a notice after every change and reset of a password, and when a reused refresh token ended a session."""

    needs_mail = True
    mails: ClassVar[tuple[str, ...]] = tuple(PURPOSES.values())
    observes: Container[str] | None = {name for name, _ in PURPOSES}
    room: ClassVar[Path | None] = Path(__file__).parent

    async def observe(self, event: Event) -> None:
        """Write to the user of the event."""
        purpose = PURPOSES.get((event.name, event.outcome))
        if purpose is None or event.user_id is None:
            return
        user = await self.auth.storage.user(event.user_id)
        if user is not None:
            self.auth.letters.notify(purpose, user, event.client)
