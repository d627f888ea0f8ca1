"""Updates of users that are there already: only what the caller asked for."""

from dataclasses import dataclass
from typing import Any

import msgspec

from asgi_auth.auth import Auth
from asgi_auth.errors import StorageUnavailableError, ValidationError
from asgi_auth.importing.prepare import Prepared
from asgi_auth.importing.record import RefusedError
from asgi_auth.model import event_types as events
from asgi_auth.model.ban import BAN
from asgi_auth.model.records import Client, Credential, User
from asgi_auth.storage import Storage


@dataclass(frozen=True)
class Updates:
    """What an update may change beside the extra fields.

    `roles`: the roles and the status. `credentials`: the credentials, and whether the address is verified.
    """

    roles: bool = False
    credentials: bool = False


class Update:
    """The update of one user, in a transaction of its own."""

    def __init__(self, auth: Auth, user: User, each: Prepared, updates: Updates) -> None:
        """Take the user as stored, the record, and what may change."""
        self._auth = auth
        self._user = user
        self._each = each
        self._updates = updates
        self._now = int(auth.now())

    async def run(self, storage: Storage, *, dry_run: bool) -> None:
        """Update the user as a whole. Raises RefusedError, and nothing is stored then."""
        ended: list[str] = []
        async with storage.transaction() as inside:
            changes = self._changes()
            if changes:
                ended += await self._change(inside, changes)
            is_new = self._updates.credentials and await self._set_all(inside)
            if is_new or changes.get("status", "active") != "active":
                await inside.void_tokens(self._user.id, self._now)
                ended += await inside.end_sessions(self._user.id, self._now)
        if not dry_run:
            await self._follow(changes, ended, is_new=is_new)

    async def _change(self, storage: Storage, changes: dict[str, Any]) -> list[str]:
        """Change columns, and claim unique values; returns the sessions that have ended."""
        # No session that is left from before may come back with the status.
        ended = await storage.end_sessions(self._user.id, self._now) if "status" in changes else []
        try:
            await storage.update_user(self._user.id, changes, self._now)
        except ValidationError as error:
            raise RefusedError(f"the users table refuses a value of the record: {', '.join(error.errors)}") from None
        try:
            await self._auth.users.unique_values.claim(storage, self._user.id, changes.get("data", {}))
        except ValidationError:
            raise RefusedError("a unique value of it belongs to another user") from None
        return ended

    async def _set_all(self, storage: Storage) -> bool:
        given = [each for each in self._each.credentials if not each.is_claim]
        return any([await self._set(storage, each) for each in given])

    async def _set(self, storage: Storage, given: Credential) -> bool:
        """Add or replace a credential; returns whether anything has changed."""
        identifier = self._user.id if given.identifier == self._each.user.id else given.identifier
        new = msgspec.structs.replace(given, user_id=self._user.id, identifier=identifier)
        found = await storage.find_credential(new.kind, new.identifier)
        if found is not None and found[0].id != self._user.id:
            raise RefusedError("a credential of it belongs to another user")
        if found is not None and (found[1].secret, found[1].data) == (new.secret, new.data):
            return False
        if found is None:
            done = await storage.add_credential(new)
        else:
            changed = await storage.change_credential(found[1], secret=new.secret, data=new.data, now=self._now)
            done = changed is not None
        if not done:
            # Another process has changed it meanwhile: the update is tried once more.
            raise StorageUnavailableError
        return True

    async def _follow(self, changes: dict[str, Any], ended: list[str], *, is_new: bool) -> None:
        """End sessions in the caches of this process, and emit the event."""
        user_id, call = self._user.id, Client().identified()
        if ended:
            await self._auth.sessions.ended(user_id, ended, call)
        if changes or is_new:
            name = events.ROLE_CHANGE if "roles" in changes else events.USER_CHANGE
            data = {"fields": sorted([*changes, *(["credentials"] if is_new else [])])}
            await self._auth.emit(name, user_id=user_id, client=call, data=data)

    def _changes(self) -> dict[str, Any]:
        """Return the columns that change."""
        user, given = self._user, self._each.user
        data = {name: given.data[name] for name in self._each.given.data if name != BAN}
        if self._updates.roles:
            # A status of the record without a ban ends the ban that there is.
            data[BAN] = given.data.get(BAN)
        data = {name: value for name, value in data.items() if user.data.get(name) != value}
        wanted: dict[str, Any] = {"roles": given.roles, "status": given.status} if self._updates.roles else {}
        if self._updates.credentials:
            wanted["email_verified"] = given.email_verified
        changes = {name: value for name, value in wanted.items() if getattr(user, name) != value}
        return {**changes, "data": data} if data else changes
