"""Authorization codes: used once, within a minute, by the client that asked (RFC 6749, 4.1.2; RFC 9700, 4.5).

A code names the session that it begins, under a MAC. A genuine code that is shown again ends that session.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Any

from asgi_auth.crypto.keys import KeyRing
from asgi_auth.feature import Credential, Identity, OneTimeToken, new_id
from asgi_auth.features.authorization_server.base64url import encode
from asgi_auth.features.authorization_server.errors import InvalidGrantError
from asgi_auth.features.authorization_server.requests import Asked
from asgi_auth.sessions.ends import AUTHORIZATION_CODE
from asgi_auth.storage import Storage

TTL = 60
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Codes:
    """Makes codes, and takes each back once."""

    def __init__(self, keys: KeyRing, storage: Storage, now: Callable[[], float]) -> None:
        """Take the keys, the storage and the clock."""
        self._keys = keys
        self._storage = storage
        self._now = now

    async def make(self, storage: Storage, identity: Identity, asked: Asked, grant: Credential) -> str:
        """Make the code of a request that its user has allowed, in a transaction."""
        now, session_id, secret = int(self._now()), new_id(self._now()), secrets.token_urlsafe(24)
        code = f"{session_id}.{secret}.{_mac(self._keys.derived(AUTHORIZATION_CODE)[0], session_id, secret)}"
        data = {
            "client": asked.client.id,
            "redirect_uri": asked.redirect_uri,
            "challenge": asked.challenge,
            "scopes": asked.scopes,
            "resource": asked.resource.served.url,
            "key": asked.client.key,
            "grant": grant.id,
            "auth_time": identity.auth_time,
            "amr": identity.amr,
        }
        token = OneTimeToken(
            id=new_id(self._now()),
            purpose=AUTHORIZATION_CODE,
            subject=session_id,
            user_id=identity.id,
            digest=_digest(code),
            code="",
            data=data,
            created_at=now,
            expires_at=now + TTL,
        )
        if not await storage.add_token(token):
            raise InvalidGrantError
        return code

    def session_of(self, code: str) -> str:
        """Return the session that a genuine code begins. Raises InvalidGrantError for every other text."""
        session_id, secret, mac = [*code.split("."), "", "", ""][:3]
        keys = self._keys.derived(AUTHORIZATION_CODE)
        if not any(hmac.compare_digest(_mac(key, session_id, secret).encode(), mac.encode()) for key in keys):
            raise InvalidGrantError
        return session_id

    async def find(self, code: str) -> OneTimeToken | None:
        """Return what a code was made with, while it can be used."""
        return await self._storage.find_token(AUTHORIZATION_CODE, _digest(code), int(self._now()))


def proves(data: dict[str, Any], client_id: str, redirect_uri: str, verifier: str) -> bool:
    """Tell whether a request is that of the client that asked for a code, by PKCE with S256 (RFC 7636)."""
    if data["client"] != client_id or redirect_uri not in {"", data["redirect_uri"]}:
        return False
    if VERIFIER.fullmatch(verifier) is None:
        return False
    challenge = encode(hashlib.sha256(verifier.encode()).digest())
    return hmac.compare_digest(challenge.encode(), str(data["challenge"]).encode())


def _mac(key: bytes, session_id: str, secret: str) -> str:
    return encode(hmac.digest(key, f"{session_id}.{secret}".encode(), "sha256"))


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
