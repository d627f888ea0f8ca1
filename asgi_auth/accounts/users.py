"""Administration of users in process: look-up, roles, status, deletion. Not reachable over HTTP."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.errors import UserNotFoundError, ValidationError
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client, Status, User
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.service import SessionService
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import canonical_or_none
from asgi_auth.validation.reasons import Reason
from asgi_auth.validation.user_field import Field

MAX_ROLES = 2048


class Users:
    """The accounts of an `Auth`: `auth.users`. Unknown ids raise UserNotFoundError."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        storage: Storage,
        events: EventSink,
        revocation: Revocation,
        sessions: SessionService,
        registration: Callable[[], RegistrationService | None],
        fields: Sequence[Field],
        now: Callable[[], float],
        start: Callable[[], Awaitable[None]],
        before_delete: Callable[[Storage, User], Awaitable[None]],
    ) -> None:
        """Take the collaborators.

        `registration` gives the service, if there is one; `start` opens the storage; `before_delete` runs in the
        transaction that deletes a user.
        """
        self._before_delete = before_delete
        self._storage = storage
        self._events = events
        self._revocation = revocation
        self._sessions = sessions
        self._registration = registration
        self._fields = fields
        self._now = now
        self._start = start

    async def get(self, user_id: str) -> User:
        """Read a user by id."""
        return _found(await self.find(user_id))

    async def find(self, user_id: str) -> User | None:
        """Read a user by id; None when there is none."""
        await self._start()
        return await self._storage.user(user_id)

    async def by_email(self, email: str) -> User:
        """Read a user by address, in any spelling of it."""
        await self._start()
        canonical = canonical_or_none(email)
        return _found(await self._storage.user_by_email(canonical) if canonical else None)

    async def set_roles(self, user_id: str, roles: Sequence[str]) -> User:
        """Set the roles. Live tokens follow within `max_revocation_lag` seconds.

        Raises TypeError for one string in place of a list of names.
        """
        if isinstance(roles, str):
            raise TypeError(f"roles are a list of names, such as [{roles!r}]")
        given = tuple(roles)
        if len(",".join(given)) > MAX_ROLES:
            raise ValueError(f"roles are part of every access token; these are over {MAX_ROLES} characters")
        return await self._update(user_id, {"roles": given})

    async def set_verified(self, user_id: str, *, verified: bool = True) -> User:
        """Mark the address as proven to be the user's, as the mailed link does, or as unproven."""
        return await self._update(user_id, {"email_verified": verified})

    async def delete(self, user_id: str) -> None:
        """Delete a user with all data that belongs to it; every session ends at once."""
        await self._start()
        if not await self._delete(user_id):
            raise UserNotFoundError

    async def delete_closed(self, before: int, batch: int) -> int:
        """Delete at most `batch` users whose accounts were closed before a time, and return their number."""
        await self._start()
        found = await self._storage.closed_users(before, batch)
        return sum([await self._delete(user_id, only_closed=True) for user_id in found])

    async def _delete(self, user_id: str, *, only_closed: bool = False) -> bool:
        now = int(self._now())
        async with self._storage.transaction() as storage:
            # Locked, so that an account that is opened again meanwhile is not deleted.
            user = await storage.update_user(user_id, {}, now) if only_closed else await storage.user(user_id)
            if user is None or (only_closed and user.status != "closed"):
                return False
            await self._before_delete(storage, user)
            ended = await storage.delete_user(user_id, now)
        if ended is None:
            return False
        call = Client().identified()
        await self._sessions.ended(user_id, ended, call)
        await self._events.emit(events.ACCOUNT_DELETE, user_id=user_id, client=call)
        return True

    async def changed(self, user_id: str) -> None:
        """Apply what the host has changed by SQL: the status, the roles, or a deletion.

        Triggers of the users table do this by themselves. Call this where a start logs that it cannot create them.
        Raises StorageUnavailableError.
        """
        await self._start()
        user, ended = await self._storage.note_change(user_id, int(self._now()))
        call = Client().identified()
        await self._sessions.ended(user_id, ended, call)
        if user is not None:
            self._revocation.change(user_id, user.roles)
        await self._events.emit(events.USER_CHANGE, user_id=user_id, client=call, data={"by": "host"})

    async def set_data(self, user_id: str, **data: Any) -> User:
        """Set extra fields, those for administrators too; the others stay. Raises ValidationError."""
        return await self.store_data(user_id, checked_data(self._fields, data))

    async def store_data(self, user_id: str, data: Mapping[str, Any]) -> User:
        """Store values of extra fields that an endpoint has checked; the others stay."""
        return await self._update(user_id, {"data": dict(data)})

    async def set_status(self, user_id: str, status: Status) -> User:
        """Switch an account off (`disabled`, `closed`) or on (`active`); off ends every session at once.

        Off also voids all mailed tokens. Raises ValueError for any other word.
        """
        if status not in get_args(Status):
            raise ValueError(f"the status is one of {', '.join(get_args(Status))}")
        await self._start()
        now = int(self._now())
        async with self._storage.transaction() as storage:
            if status != "active":
                await storage.void_tokens(user_id, now)
            # Before and after: a trigger of the update may end sessions, which would then not be returned here.
            # A session that is left from before must not come back.
            end = storage.end_inactive if status == "active" else storage.end_sessions
            ended = await end(user_id, now)
            user = _found(await storage.update_user(user_id, {"status": status}, now))
            ended += [] if status == "active" else await storage.end_sessions(user_id, now)
        call = Client().identified()
        await self._sessions.ended(user_id, ended, call)
        name = events.ACCOUNT_CLOSE if status == "closed" else events.USER_CHANGE
        await self._events.emit(name, user_id=user_id, client=call, data={"status": status})
        return user

    async def _update(self, user_id: str, changes: dict[str, Any]) -> User:
        await self._start()
        user = _found(await self._storage.update_user(user_id, changes, int(self._now())))
        if "roles" in changes:
            self._revocation.change(user_id, user.roles)
        name = events.ROLE_CHANGE if "roles" in changes else events.USER_CHANGE
        await self._events.emit(name, user_id=user_id, data={"fields": sorted(changes)})
        return user


def checked_data(fields: Sequence[Field], data: Mapping[str, Any]) -> dict[str, Any]:
    """Check values of extra fields against their declaration; raises ValidationError."""
    declared = {item.name: item for item in fields}
    errors: dict[str, list[Reason]] = {name: [Reason("unknown")] for name in data.keys() - declared.keys()}
    values: dict[str, Any] = {}
    for name in [name for name in data if name in declared]:
        one = declared[name]
        try:
            values[name] = None if data[name] is None and not one.required else one.convert(data[name])
        except msgspec.ValidationError as error:
            errors[name] = [Reason.of(error)]
    if errors:
        raise ValidationError(errors)
    return values


def _found(user: User | None) -> User:
    if user is None:
        raise UserNotFoundError
    return user
