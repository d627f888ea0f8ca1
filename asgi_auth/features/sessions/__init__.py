"""Sessions: refresh, log out here or everywhere, and list the logged-in devices."""

from asgi_auth.features.sessions.feature import Ended, SessionInfo, SessionList, Sessions

__all__ = ["Ended", "SessionInfo", "SessionList", "Sessions"]
