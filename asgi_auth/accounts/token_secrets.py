"""The secrets of one-time tokens: what links and codes hold, and what is stored of them."""

import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

from asgi_auth.crypto.keys import KeyRing

if TYPE_CHECKING:
    from itsdangerous import Signer

DIGITS = 8
#: Two times 32 bytes in base64url without padding, unused bits zero.
SPELLING = re.compile(r"([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\.?){2}")


class TokenSecrets:
    """Signs the secrets of links, and makes the digests of codes."""

    def __init__(self, keys: KeyRing) -> None:
        """Take the keys, which are derived at the first use."""
        import itsdangerous  # noqa: PLC0415 (needed only by an Auth)

        self._library = itsdangerous
        self._keys = keys

    def signed(self, purpose: str, secret: str) -> str:
        """Return the token of a link."""
        return self._signer(purpose).sign(secret.encode()).decode()

    def secret_of(self, purpose: str, token: str) -> str | None:
        """Return the secret that is signed in a token; None for a token that was not made here."""
        try:
            secret = self._signer(purpose).unsign(token).decode()
        except self._library.BadSignature:
            return None
        # One spelling only: decoders ignore padding and unused bits.
        return secret if SPELLING.fullmatch(token) is not None else None

    def digest_of_code(self, request: str, code: str) -> str:
        """Return what is stored of a code, which belongs to a request."""
        # The oldest: during a rolling change of secrets all processes have it.
        key = self._keys.for_service("one-time code")[-1]
        return hmac.digest(key, f"{request}:{code}".encode(), "sha256").hex()

    def _signer(self, purpose: str) -> "Signer":
        # The last signs, all verify.
        keys = reversed(self._keys.for_service("one-time token"))
        return self._library.Signer(keys, salt=purpose, key_derivation="hmac", digest_method=hashlib.sha256)


def new_code() -> str:
    """Return a random code of eight digits."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
