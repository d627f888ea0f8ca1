"""Notices: users get a mail when something about their account has changed (ASVS 6.3.7)."""

from asgi_auth.features.notices.feature import Notices

__all__ = ["Notices"]
