"""Tokens that a client holds by a random secret, and that no mail contains; only the digest of the secret is stored."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from asgi_auth.model.records import OneTimeToken


def new_token(
    purpose: str, user_id: str | None, data: Mapping[str, Any], *, now: int, seconds: int
) -> tuple[OneTimeToken, str]:
    """Return a token that lives for some seconds, of a user or of none yet, and its secret."""
    secret, token_id = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    token = OneTimeToken(
        id=token_id,
        purpose=purpose,
        subject=token_id,
        user_id=user_id,
        digest=digest_of(secret),
        code="",
        data=dict(data),
        created_at=now,
        expires_at=now + seconds,
    )
    return token, secret


def digest_of(secret: str) -> str:
    """Return what is stored of a secret. It has 256 random bits, so a fast digest is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()
