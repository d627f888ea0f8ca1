"""Users in process: look them up, change their roles, switch them off. Nothing here is reachable over HTTP."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.errors import UserNotFoundError
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Status, User
from asgi_auth.validation.email_address import canonical_or_none

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

MAX_ROLES = 2048


class Users:
    """The accounts of an `Auth`: `auth.users`. Unknown ids raise UserNotFoundError."""

    def __init__(self, auth: "Auth") -> None:
        """Belong to an `Auth`."""
        self._auth = auth

    async def get(self, user_id: str) -> User:
        """Read a user by id."""
        return _found(await self.find(user_id))

    async def find(self, user_id: str) -> User | None:
        """Read a user by id; None when there is none."""
        await self._auth.start()
        return await self._auth.storage.user(user_id)

    async def by_email(self, email: str) -> User:
        """Read a user by address, in any spelling of it."""
        await self._auth.start()
        canonical = canonical_or_none(email)
        return _found(await self._auth.storage.user_by_email(canonical) if canonical else None)

    async def set_roles(self, user_id: str, roles: Sequence[str]) -> User:
        """Set the roles. Tokens that are out follow within `max_revocation_lag` seconds.

        Raises TypeError for one string where a list of names is wanted.
        """
        if isinstance(roles, str):
            raise TypeError(f"roles are a list of names, such as [{roles!r}]")
        given = tuple(roles)
        if len(",".join(given)) > MAX_ROLES:
            raise ValueError(f"roles stand in every access token; these are over {MAX_ROLES} characters")
        return await self._update(user_id, {"roles": given})

    async def set_verified(self, user_id: str, *, verified: bool = True) -> User:
        """Say that the address belongs to the user, as the mailed link does, or that it doesn't."""
        return await self._update(user_id, {"email_verified": verified})

    async def delete(self, user_id: str) -> None:
        """Delete a user with everything that hangs on it; every session ends at once."""
        await self._auth.start()
        registration = self._auth.get(RegistrationService)
        async with self._auth.storage.transaction() as storage:
            user = await storage.user(user_id)
            if user is not None and registration is not None:
                # An old mail must not make the account again.
                await registration.void(storage, user.email_canonical)
            ended = await storage.delete_user(user_id, int(self._auth.now()))
        if ended is None:
            raise UserNotFoundError
        await self._auth.ended(user_id, ended)
        await self._auth.emit(events.ACCOUNT_DELETE, user_id=user_id)

    async def set_data(self, user_id: str, **data: Any) -> User:
        """Set extra fields, those for administrators too; the others stay."""
        return await self._update(user_id, {"data": self._auth.checked_data(data)})

    async def set_status(self, user_id: str, status: Status) -> User:
        """Switch an account off (`disabled`, `closed`) or on (`active`); off ends every session at once.

        Off also voids what was mailed. Raises ValueError for any other word.
        """
        if status not in get_args(Status):
            raise ValueError(f"the status is one of {', '.join(get_args(Status))}")
        await self._auth.start()
        now = int(self._auth.now())
        async with self._auth.storage.transaction() as storage:
            if status != "active":
                await storage.void_tokens(user_id, now)
            user = _found(await storage.update_user(user_id, {"status": status}, now))
            ended = [] if status == "active" else await storage.end_sessions(user_id, now)
        await self._auth.ended(user_id, ended)
        name = events.ACCOUNT_CLOSE if status == "closed" else events.USER_CHANGE
        await self._auth.emit(name, user_id=user_id, data={"status": status})
        return user

    async def _update(self, user_id: str, changes: dict[str, Any]) -> User:
        await self._auth.start()
        user = _found(await self._auth.storage.update_user(user_id, changes, int(self._auth.now())))
        if "roles" in changes:
            self._auth.revocation.change(user_id, user.roles)
        name = events.ROLE_CHANGE if "roles" in changes else events.USER_CHANGE
        await self._auth.emit(name, user_id=user_id, data={"fields": sorted(changes)})
        return user


def _found(user: User | None) -> User:
    if user is None:
        raise UserNotFoundError
    return user
