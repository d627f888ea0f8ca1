"""Notices: users hear by mail when something about their account has changed (ASVS 6.3.7)."""

from asgi_auth.feature import Feature
from asgi_auth.mail import Letter
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Event

PURPOSES = {
    (events.PASSWORD_CHANGE, "success"): "password_changed",
    (events.TOKEN_REUSE, "failure"): "token_reuse",
}


class Notices(Feature):
    """Mails a notice after every change and reset of a password, and when a session ended as its token came back."""

    needs_mail = True
    mails = tuple(PURPOSES.values())

    def hears(self, name: str) -> bool:
        """What a mail is written for."""
        return name in {told for told, _ in PURPOSES}

    async def observe(self, event: Event) -> None:
        """Write to the user whom it is about."""
        purpose = PURPOSES.get((event.name, event.outcome))
        if purpose is None or event.user_id is None:
            return
        user = await self.auth.storage.user(event.user_id)
        if user is not None:
            language = self.auth.texts.choose(event.client.accept_language)
            self.auth.one_time.post(Letter(purpose=purpose, to=user.email, user_id=user.id, language=language))
