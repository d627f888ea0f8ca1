"""Passwords: register, log in, change the password."""

from asgi_auth.features.passwords.feature import Passwords

__all__ = ["Passwords"]
