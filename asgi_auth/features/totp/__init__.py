"""One-time passwords of an authenticator app (TOTP, RFC 6238)."""

from asgi_auth.features.totp.feature import Totp

__all__ = ["Totp"]
