"""Notices: users hear by mail when something about their account has changed (ASVS 6.3.7)."""

from asgi_auth import events
from asgi_auth.feature import Feature
from asgi_auth.mail import Letter
from asgi_auth.records import Event


class Notices(Feature):
    """Mails a notice after every change and reset of a password."""

    needs_mail = True
    mails = ("password_changed",)

    async def observe(self, event: Event) -> None:
        """Write to the user whose password has changed."""
        if event.name == events.PASSWORD_CHANGED and event.user_id is not None:
            user = await self.auth.storage.user(event.user_id)
            if user is not None:
                language = self.auth.texts.choose(event.client.accept_language)
                self.auth.one_time.post(
                    Letter(purpose="password_changed", to=user.email, user_id=user.id, language=language)
                )
