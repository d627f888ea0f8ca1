"""A session, as people see it."""

from typing import Any

from asgi_auth.model.records import Record, Session
from asgi_auth.model.user_agent import device_name


class SessionView(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The device and the times of a session, in seconds since 1970. `actor` is the user who acts in it for another."""

    id: str
    device: str
    user_agent: str
    address: str
    created_at: int
    last_used_at: int
    expires_at: int
    actor: str | None = None

    @staticmethod
    def values_of(session: Session) -> dict[str, Any]:
        """Return the fields of a session."""
        return {
            "id": session.id,
            "device": device_name(session.user_agent),
            "user_agent": session.user_agent,
            "address": session.address,
            "created_at": session.created_at,
            "last_used_at": session.last_used_at,
            "expires_at": session.expires_at,
            "actor": session.data.get("actor", {}).get("id"),
        }
