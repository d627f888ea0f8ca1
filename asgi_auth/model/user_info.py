"""An account, as its user sees it."""

from typing import Any

from asgi_auth.model.records import Record, User


class UserInfo(Record, frozen=True, kw_only=True):
    """An account, as its user sees it. Times are seconds since 1970; `last_login` is null where it is not known."""

    id: str
    email: str
    email_verified: bool
    roles: tuple[str, ...]
    data: dict[str, Any]
    created_at: int
    updated_at: int
    last_login: int | None

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
            updated_at=user.updated_at,
            last_login=user.last_login,
        )
