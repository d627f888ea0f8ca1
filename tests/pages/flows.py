"""All flows behind the pages, and the mails that they send."""

from asgi_auth import Argon2, Auth, MagicLink, Outbox, Pages, Passwords
from asgi_auth.feature import Feature
from asgi_auth.mail import Mail
from tests.support import unlimited


def all_features(pages: Pages) -> list[Feature]:
    """Every feature, with the cheapest hashes."""
    return [Passwords(argon2=Argon2.cheap()), *unlimited(mail=True), MagicLink(), pages]


async def mailed(auth: Auth, purpose: str) -> Mail:
    """Wait for a mail."""
    outbox = auth.mail.mailer
    assert isinstance(outbox, Outbox)
    return await outbox.next(purpose)
