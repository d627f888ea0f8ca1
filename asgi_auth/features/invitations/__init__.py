"""Invitations: a mailed link sets the password of an account that an administrator has made."""

from asgi_auth.features.invitations.feature import Invitations

__all__ = ["Invitations"]
