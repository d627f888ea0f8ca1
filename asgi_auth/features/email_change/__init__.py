"""Email change: requested with the password, confirmed at the new address, announced to the old one."""

from asgi_auth.features.email_change.feature import EmailChange

__all__ = ["EmailChange"]
