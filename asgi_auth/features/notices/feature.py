"""Notices: users get a mail when something about their account has changed (ASVS 6.3.7)."""

from collections.abc import Container, Mapping
from pathlib import Path
from typing import ClassVar

from asgi_auth.auth import Auth
from asgi_auth.feature import Event, Feature
from asgi_auth.model import event_types as events
from asgi_auth.model.event_types import Noticed

PURPOSES: Mapping[Noticed, str] = {
    (events.PASSWORD_CHANGE, "success"): "password_changed",
    (events.TOKEN_REUSE, "failure"): "token_reuse",
}


class Notices(Feature):
    """Mails a notice after every change and reset of a password, and when a reused refresh token ended a session.

    Other features name further ones (`Feature.notices`), such as those about second factors.
    """

    needs_mail = True
    mails: ClassVar[tuple[str, ...]] = tuple(PURPOSES.values())
    notices: ClassVar[Mapping[Noticed, str]] = PURPOSES
    room: ClassVar[Path | None] = Path(__file__).parent

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`, and learn the notices of its features."""
        super().attach(auth)
        self._purposes = {key: name for feature in auth.features for key, name in feature.notices.items()}
        self.observes: Container[str] | None = {noticed[0] for noticed in self._purposes}

    async def observe(self, event: Event) -> None:
        """Write to the user of the event."""
        name, outcome = event.name, event.outcome
        kind: str = event.data.get("kind", "")
        purpose = self._purposes.get((name, outcome, kind)) or self._purposes.get((name, outcome))
        # A password that an administrator has disabled has a mail of its own, with a link.
        if purpose is None or event.user_id is None or event.data.get("disabled"):
            return
        user = await self.auth.storage.user(event.user_id)
        if user is not None:
            self.auth.letters.notify(purpose, user, event.client)
