"""The `request` values of answers: the caller shows one to ask again, and it belongs to the code of the mail.

A value is bound to a path and an address by a MAC. So the answer to a genuine value is the same value, whatever the
storage holds: no sequence of calls reveals what happened to an account in between.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode

from asgi_auth.crypto.keys import KeyRing

NONCE_BYTES = 16
MAC_BYTES = 16
#: Both parts in base64url without padding: 16 bytes are 22 characters.
REQUEST = re.compile(r"[A-Za-z0-9_-]{44}")
PART = 22


class MailRequests:
    """Makes and recognizes `request` values."""

    def __init__(self, keys: KeyRing) -> None:
        """Take the keys: the newest makes new values, all of them recognize values."""
        self._keys = keys

    def answer(self, earlier: str, path: str, subject: str) -> str:
        """Return `earlier` if it was made for this path and canonical address, else a new value."""
        if REQUEST.fullmatch(earlier) is not None and self._is_genuine(earlier, path, subject):
            return earlier
        nonce = _text(secrets.token_bytes(NONCE_BYTES))
        return nonce + _mac(self._keys.derived("mail request")[0], nonce, path, subject)

    def _is_genuine(self, request: str, path: str, subject: str) -> bool:
        nonce, mac = request[:PART], request[PART:]
        return any(
            hmac.compare_digest(_mac(key, nonce, path, subject), mac) for key in self._keys.derived("mail request")
        )


def _mac(key: bytes, *parts: str) -> str:
    return _text(hmac.digest(key, "\0".join(parts).encode(), "sha256")[:MAC_BYTES])


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
