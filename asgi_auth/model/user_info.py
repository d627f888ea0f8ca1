"""An account, as its user sees it."""

from typing import Any

from asgi_auth.model.records import Record, User


class UserInfo(Record, frozen=True, kw_only=True):
    """An account, as its user sees it."""

    id: str
    email: str
    email_verified: bool
    roles: tuple[str, ...]
    data: dict[str, Any]
    created_at: int

    @classmethod
    def of(cls, user: User) -> "UserInfo":
        """Copy the public fields of a user: those of administrators, such as a ban, are left out."""
        return cls(
            id=user.id,
            email=user.email,
            email_verified=user.email_verified,
            roles=user.roles,
            data=user.own_data,
            created_at=user.created_at,
        )
