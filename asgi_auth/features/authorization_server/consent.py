"""The proof that an answer was given on a page of this server: bound to session, request and time, and used once."""

import hashlib
import hmac
import secrets
from collections.abc import Callable

import msgspec

from asgi_auth.crypto.keys import KeyRing
from asgi_auth.features.authorization_server.base64url import encode
from asgi_auth.features.authorization_server.errors import ConsentExpiredError
from asgi_auth.storage import Storage

#: Seconds that a page may wait for its answer.
TTL = 600
PURPOSE = "consent"


class Tickets:
    """Makes the tickets of consent pages, and takes each back once."""

    def __init__(self, keys: KeyRing, leeway: int, now: Callable[[], float]) -> None:
        """Take the keys, the difference of clocks in seconds, and the clock."""
        self._keys = keys
        self._leeway = leeway
        self._now = now

    def make(self, session_id: str, request: str) -> str:
        """Make the ticket of a page for the session of a user."""
        stamp = f"{int(self._now())}-{secrets.token_urlsafe(12)}"
        return f"{stamp}.{_mac(self._keys.derived(PURPOSE)[0], session_id, request, stamp)}"

    def check(self, ticket: str, session_id: str, request: str) -> None:
        """Raise ConsentExpiredError for a ticket that was made for another page, or is too old."""
        stamp, _, mac = ticket.partition(".")
        keys = self._keys.derived(PURPOSE)
        if not any(hmac.compare_digest(_mac(key, session_id, request, stamp).encode(), mac.encode()) for key in keys):
            raise ConsentExpiredError
        if not -self._leeway <= int(self._now()) - _made(ticket) < TTL:
            raise ConsentExpiredError

    @staticmethod
    async def use(storage: Storage, ticket: str) -> None:
        """Use up a checked ticket in a transaction, and so give it back if that fails.

        Raises ConsentExpiredError unless exactly this call may: others at once may not.
        """
        digest = hashlib.sha256(f"consent ticket {ticket}".encode()).hexdigest()
        # By the time in the ticket, so that the mark outlives it.
        if (await storage.count(digest, _made(ticket), 2 * TTL)).count != 1:
            raise ConsentExpiredError


def _made(ticket: str) -> int:
    """Return the time in a ticket, whose MAC was checked."""
    return int(ticket.partition("-")[0])


def _mac(key: bytes, *about: str) -> str:
    return encode(hmac.digest(key, msgspec.json.encode(about), "sha256"))
