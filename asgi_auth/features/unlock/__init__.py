"""Unlock: a mailed link opens an account that the guesses of strangers have locked."""

from asgi_auth.features.unlock.feature import Unlock

__all__ = ["Unlock"]
