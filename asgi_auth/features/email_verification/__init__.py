"""Email verification: a mail at registration, and the link or the code in it."""

from asgi_auth.features.email_verification.feature import EmailVerification

__all__ = ["EmailVerification"]
