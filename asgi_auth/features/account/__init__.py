"""Your account: read it, change extra fields, export everything as JSON, close it."""

from asgi_auth.features.account.feature import Account

__all__ = ["Account"]
