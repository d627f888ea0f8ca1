"""Passkeys (WebAuthn Level 3): login without a password, second factor, and proof for a fresh login."""

from asgi_auth.features.passkeys.feature import Passkeys

__all__ = ["Passkeys"]
