"""Passwords: register, log in, change the password."""

from asgi_auth.features.passwords.feature import Passwords, Registration

__all__ = ["Passwords", "Registration"]
