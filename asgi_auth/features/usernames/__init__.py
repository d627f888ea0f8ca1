"""Usernames: a name that users choose, and log in with in place of their address."""

from asgi_auth.features.usernames.feature import Usernames

__all__ = ["Usernames"]
