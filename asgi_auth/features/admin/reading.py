"""Administration: users are listed, searched and looked at, with their events."""

from typing import Annotated

import msgspec
from msgspec.structs import replace

from asgi_auth.accounts.authority import READ
from asgi_auth.accounts.invitations import InvitationService
from asgi_auth.errors import UserNotFoundError
from asgi_auth.events.audit_export import before_of
from asgi_auth.feature import Identity, Line, Time, User, get
from asgi_auth.features.admin.answers import (
    AdminEvent,
    AdminEvents,
    AdminUser,
    AdminUserList,
    BanInfo,
    UserDetails,
)
from asgi_auth.features.admin.base import AdminBase
from asgi_auth.model.records import Status

#: The size of a page.
Size = Annotated[int, msgspec.Meta(ge=1, le=100)]


class Reading(AdminBase):
    """The part of administration that reads."""

    @get("/users", replica=True, permission=READ)
    async def users(
        self,
        *,
        search: Line = "",
        status: Status | None = None,
        role: Line = "",
        after: Line = "",
        limit: Size = 50,
        identity: Identity,  # noqa: ARG002 (the permission needs it)
    ) -> AdminUserList:
        """List users, the newest first, or those whose address begins with `search`, by address."""
        users, common = self.auth.users, {"status": status, "role": role or None, "limit": limit}
        page = await (
            users.search(search, after=after or None, **common)  # type: ignore[arg-type]  # checked by the endpoint
            if search
            else users.list(after=after or None, newest=True, **common)  # type: ignore[arg-type]  # as above
        )
        return AdminUserList(users=[AdminUser.of(user) for user in page.users], next=page.next)

    @get("/users/{id}", replica=True, permission=READ, errors=(UserNotFoundError,))
    async def user(self, *, id: Line, identity: Identity) -> UserDetails:  # noqa: A002, ARG002 (a field of the API)
        """Return a user, with factors and ways to log in."""
        user = await self.auth.users.get(id)
        return UserDetails(
            **AdminUser.values_of(user) | {"ban": await self._ban_of(user)},
            factors=list(await self.auth.users.factors(id)),
            ways=await self.auth.ways_in.of(self.auth.storage, user),
            last_login=user.last_login,
            invited_until=await self._invited_until(user),
        )

    @get("/users/{id}/events", replica=True, permission=READ, errors=(UserNotFoundError,))
    async def user_events(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        name: Line = "",
        since: Time = 0,
        until: Time | None = None,
        before: Line = "",
        limit: Size = 50,
        identity: Identity,  # noqa: ARG002 (the permission needs it)
    ) -> AdminEvents:
        """List the audit records about a user, the newest first; of one `name`, from `since` to before `until`."""
        await self.auth.users.get(id)
        await self._write_waiting()
        found = await self.auth.storage.audit_records(
            id, limit + 1, before_of(before, until), name=name or None, since=since
        )
        shown = [AdminEvent.of(record) for record in found[:limit]]
        return AdminEvents(
            events=shown,
            addresses=await self._addresses([id, *(event.actor for event in shown)]),
            next=found[limit - 1].id if len(found) > limit else None,
        )

    async def _ban_of(self, user: User) -> BanInfo | None:
        """Return the ban of a user, with the address of its author."""
        ban = BanInfo.of(user)
        addresses = await self._addresses([ban.by]) if ban is not None else {}
        return replace(ban, by_email=addresses.get(ban.by or "")) if ban is not None else None

    async def _invited_until(self, user: User) -> int | None:
        service = self.auth.get(InvitationService)
        token = await service.open(self.auth.storage, user.id) if service is not None else None
        return token.expires_at if token is not None else None
