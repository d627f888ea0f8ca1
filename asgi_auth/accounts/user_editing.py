"""Changes of an account: roles, address, fields, status, and its deletion."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from asgi_auth.accounts.extra_fields import checked_data
from asgi_auth.accounts.user_base import By, UserBase, called_by, found
from asgi_auth.errors import UserNotFoundError
from asgi_auth.model import event_types as events
from asgi_auth.model.ban import BAN
from asgi_auth.model.records import Client, Status, User
from asgi_auth.sources.kinds import check_kind
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import parse_email


class UserEditing(UserBase):
    """The part of `auth.users` that changes accounts. Unknown ids raise UserNotFoundError."""

    async def set_roles(
        self, user_id: str, roles: Sequence[str], *, by: By = None, client: Client | None = None
    ) -> User:
        """Set the roles. Live tokens follow within `max_revocation_lag` seconds.

        Raises UnknownRoleError for a role that the setting `permissions` does not name, if there is one, and TypeError
        for one string in place of a list of names.
        """
        given = self._parts.permissions.checked_roles(roles)
        return await self._update(user_id, {"roles": given}, by, client, gives=given)

    async def set_verified(
        self, user_id: str, *, verified: bool = True, by: By = None, client: Client | None = None
    ) -> User:
        """Mark the address as proven to be the user's, as the mailed link does, or as unproven."""
        check_kind("verified", verified, bool)
        return await self._update(user_id, {"email_verified": verified}, by, client)

    async def set_data(self, user_id: str, by: By = None, client: Client | None = None, /, **data: Any) -> User:
        """Set extra fields, those for administrators too; the others stay. Raises ValidationError.

        `by` and `client` are passed by their position: a field may have any name.
        """
        return await self.store_data(user_id, checked_data(self._parts.settings.fields, data), by=by, client=client)

    async def store_data(
        self,
        user_id: str,
        data: Mapping[str, Any],
        *,
        verified: bool | None = None,
        by: By = None,
        client: Client | None = None,
    ) -> User:
        """Store values of extra fields that an endpoint has checked; the others stay.

        With `verified`, the address is marked as well, as by `set_verified`. Raises ValidationError for a unique value
        that another user has.
        """
        changes = {"data": dict(data)} if data or verified is None else {}
        return await self._update(
            user_id, changes if verified is None else changes | {"email_verified": verified}, by, client
        )

    async def set_email(
        self,
        user_id: str,
        email: str,
        *,
        verified: bool = False,
        data: Mapping[str, Any] | None = None,
        by: By = None,
        client: Client | None = None,
    ) -> User:
        """Give an account another address. Every session and every mailed token ends; the old address gets a mail.

        `verified`: whether the new address is known to be the user's. `data` are checked values of extra fields, which
        are stored with it. Raises UserExistsError and ValidationError; nothing is stored then.
        """
        address, now = parse_email(email), self._now
        async with self._changing(user_id, by) as storage:
            # Under the lock of the user: a login that runs meanwhile may have stored a token, and a session.
            old = found(await storage.update_user(user_id, {}, now))
            await storage.void_tokens(user_id, now)
            ended = await storage.end_sessions(user_id, now)
            changes = {"email": address.display, "email_canonical": address.canonical, "email_verified": verified}
            user = await self._updated(storage, user_id, changes | ({"data": dict(data)} if data else {}))
            if user.email_canonical != old.email_canonical:
                await storage.delete_tokens_about(old.email_canonical)
        call = called_by(client)
        await self._ended(user_id, ended, by, call)
        await self._emit(events.EMAIL_CHANGE, user_id, by, call)
        if user.email != old.email and "email_changed" in self._parts.mails and self._parts.letters.can_send:
            self._parts.letters.notify("email_changed", old, call, {"new_email": partly_shown(user.email)})
        return user

    async def set_status(self, user_id: str, status: Status, *, by: By = None, client: Client | None = None) -> User:
        """Switch an account off (`disabled`, `closed`) or on (`active`); off ends every session at once.

        Off also voids all mailed tokens. A ban ends. Raises ValueError for any other word.
        """
        if status not in get_args(Status):
            raise ValueError(f"the status is one of {', '.join(get_args(Status))}")
        return await self._set_status(user_id, lambda _: {"status": status}, by, client)

    async def _set_status(
        self, user_id: str, changes_of: Callable[[User], dict[str, Any] | None], by: By, client: Client | None
    ) -> User:
        """Set what `changes_of` returns for the user as it is under the lock; None leaves it as it is."""
        now = self._now
        async with self._changing(user_id, by) as storage:
            locked = found((await storage.lock_users([user_id])).get(user_id))
            changes = changes_of(locked)
            if changes is None:
                return locked
            status = changes["status"]
            # Before and after: a trigger of the update may end sessions, which would then not be returned here.
            # A session that is left from before must not come back.
            end = storage.end_inactive if status == "active" else storage.end_sessions
            ended = await end(user_id, now)
            user = await _with_status(storage, user_id, changes, now)
            if status != "active":
                # Under the lock of the user: a login that runs meanwhile may have stored one.
                await storage.void_tokens(user_id, now)
                ended += await storage.end_sessions(user_id, now)
        call = called_by(client)
        await self._ended(user_id, ended, by, call)
        name = events.ACCOUNT_CLOSE if status == "closed" else events.USER_CHANGE
        await self._emit(name, user_id, by, call, status=status)
        return user

    async def delete(self, user_id: str, *, by: By = None, client: Client | None = None) -> None:
        """Delete a user with all data that belongs to it; every session ends at once."""
        if not await self._delete(user_id, by, client):
            raise UserNotFoundError

    async def delete_closed(self, before: int, batch: int) -> int:
        """Delete at most `batch` users whose accounts were closed before a time, and return their number."""
        await self._parts.start()
        closed = await self._storage.closed_users(before, batch)
        return sum([await self._delete(user_id, None, None, only_closed=True) for user_id in closed])

    async def changed(self, user_id: str) -> None:
        """Apply what the host has changed by SQL: the status, the roles, or a deletion.

        Triggers of the users table do this by themselves. Call this where a start logs that it cannot create them.
        Raises StorageUnavailableError.
        """
        await self._parts.start()
        user, ended = await self._storage.note_change(user_id, self._now)
        if user is not None and user.status != "disabled" and user.data.get(BAN) is not None:
            user = await self._storage.update_user(user_id, {"data": {BAN: None}}, self._now) or user
        call = called_by(None)
        await self._ended(user_id, ended, None, call)
        if user is not None:
            self._parts.revocation.change(user_id, user.roles)
        await self._parts.events.emit(events.USER_CHANGE, user_id=user_id, client=call, data={"by": "host"})

    async def _delete(self, user_id: str, by: By, client: Client | None, *, only_closed: bool = False) -> bool:
        now = self._now
        async with self._changing(user_id, by) as storage:
            # Locked, so that an account that is opened again meanwhile is not deleted.
            user = await storage.update_user(user_id, {}, now) if only_closed else await storage.user(user_id)
            if user is None or (only_closed and user.status != "closed"):
                return False
            for feature in self._parts.features:
                await feature.before_delete(storage, user)
            ended = await storage.delete_user(user_id, now)
        if ended is None:
            return False
        call = called_by(client)
        await self._ended(user_id, ended, by, call)
        await self._emit(events.ACCOUNT_DELETE, user_id, by, call)
        return True

    async def _update(
        self,
        user_id: str,
        changes: dict[str, Any],
        by: By,
        client: Client | None,
        gives: Sequence[str] | None = None,
    ) -> User:
        async with self._changing(user_id, by, gives) as storage:
            user = await self._updated(storage, user_id, changes)
        if "roles" in changes:
            self._parts.revocation.change(user_id, user.roles)
        name = events.ROLE_CHANGE if "roles" in changes else events.USER_CHANGE
        await self._emit(name, user_id, by, called_by(client), fields=sorted(changes))
        return user

    async def _updated(self, storage: Storage, user_id: str, changes: dict[str, Any]) -> User:
        """Update a user in a transaction, and claim unique values. Raises UserNotFoundError and ValidationError."""
        user = found(await storage.update_user(user_id, changes, self._now))
        if self.unique_values.among(changes.get("data", {})):
            await self.unique_values.claim(storage, user_id, changes["data"])
        return user


async def _with_status(storage: Storage, user_id: str, changes: dict[str, Any], now: int) -> User:
    """Set the status in a transaction; a ban from before is forgotten."""
    user = found(await storage.update_user(user_id, changes, now))
    if user.data.get(BAN) is None or BAN in changes.get("data", {}):
        return user
    return found(await storage.update_user(user_id, {"data": {BAN: None}}, now))


def partly_shown(email: str) -> str:
    """Return an address of which only the first letter and the domain can be read."""
    local, _, domain = email.rpartition("@")
    return f"{local[0]}…@{domain}"
