"""Challenges: random, for one purpose and one holder, for five minutes, and used once (WebAuthn Level 3, 13.5.3).

Nothing is stored for a challenge that never comes back, so that strangers fill no table: its MAC proves that it is one
of the library. A used one leaves a mark in the database, whatever counts the limits.
"""

import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable

from asgi_auth.crypto.keys import KeyRing
from asgi_auth.storage import Storage

#: Seconds that a challenge lasts, its random bytes, and the bytes before its MAC.
TTL, RANDOM, BODY = 300, 24, 32


class Challenges:
    """Makes challenges, and takes each back once."""

    def __init__(self, keys: KeyRing, storage: Storage, leeway: int, now: Callable[[], float]) -> None:
        """Take the keys, the storage of the marks, the difference of clocks in seconds, and the clock."""
        self._keys = keys
        self._storage = storage
        self._leeway = leeway
        self._now = now

    def make(self, purpose: str, *bound: str) -> bytes:
        """Make a challenge for a purpose, bound to texts such as the id of a session."""
        body = secrets.token_bytes(RANDOM) + struct.pack(">Q", int(self._now()))
        return body + _mac(self._keys.derived("passkey")[0], body, purpose, *bound)

    def fits(self, challenge: bytes, purpose: str, *bound: str) -> bool:
        """Tell whether a challenge was made for a purpose, bound to the same texts, and is not too old."""
        body, mac = challenge[:BODY], challenge[BODY:]
        keys = self._keys.derived("passkey")
        if not any(hmac.compare_digest(_mac(key, body, purpose, *bound), mac) for key in keys):
            return False
        return -self._leeway <= int(self._now()) - _time_of(challenge) < TTL

    async def use(self, challenge: bytes) -> bool:
        """Use up a challenge that fits; exactly one of many concurrent calls returns True.

        The mark is kept by the time in the challenge, so that it outlives the challenge, whatever the clocks of the
        processes say. Raises StorageUnavailableError when it cannot be written.
        """
        digest = hashlib.sha256(b"passkey challenge " + challenge).hexdigest()
        return (await self._storage.count(digest, _time_of(challenge), 2 * TTL)).count == 1


def _mac(key: bytes, body: bytes, *about: str) -> bytes:
    parts = (part.encode() for part in about)
    return hmac.digest(key, b"".join(struct.pack(">I", len(part)) + part for part in parts) + body, "sha256")


def _time_of(challenge: bytes) -> int:
    (made,) = struct.unpack_from(">Q", challenge, RANDOM)
    return int(made)
