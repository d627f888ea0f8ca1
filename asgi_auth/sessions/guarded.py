"""The user for guards, which notice a request that no middleware has authenticated."""

from functools import cache

from asgi_auth.process.log import logger
from asgi_auth.sessions.identity import ANONYMOUS, Identity, current


def guarded_user() -> Identity:
    """Return what `current_user` does, for a guard: a missing middleware is logged once."""
    found = current.get(None)
    if found is not None:
        return found
    note_missing()
    return ANONYMOUS


@cache
def note_missing() -> None:
    """Log that a guard was asked about a request that no middleware has authenticated; once in a process."""
    logger.warning(
        "a guard was asked about a request that no AuthMiddleware has authenticated, so its user is anonymous: serve "
        'the app that AuthMiddleware(app, auth, mount="/auth") returns, in place of the one that it wraps'
    )
