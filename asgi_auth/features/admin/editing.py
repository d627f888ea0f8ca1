"""Administration: users are created, changed, given roles, disabled and deleted."""

from typing import Annotated

import msgspec

from asgi_auth.accounts.authority import ROLES, WRITE
from asgi_auth.accounts.bans import MAX_REASON
from asgi_auth.accounts.invitations import InvitationService
from asgi_auth.errors import (
    AuthError,
    ForbiddenError,
    TokenRevokedError,
    UnknownRoleError,
    UserExistsError,
    ValidationError,
)
from asgi_auth.feature import Client, Email, Identity, Line, Time, User, delete, patch, post
from asgi_auth.features.admin.answers import AdminUser
from asgi_auth.features.admin.base import ERRORS, AdminBase
from asgi_auth.model import event_types as events
from asgi_auth.model.ban import Ban
from asgi_auth.sessions.acting import IMPERSONATE
from asgi_auth.sessions.permissions import MAX_ROLES
from asgi_auth.validation.email_address import parse_email
from asgi_auth.validation.reasons import Reason

#: Roles that are given, and the reason of a ban.
Roles = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=100)]], msgspec.Meta(max_length=50, examples=[["editor"]])
]
BanReason = Annotated[str, msgspec.Meta(max_length=MAX_REASON)]


class Editing(AdminBase):
    """The part of administration that changes accounts."""

    @post(
        "/users",
        status=201,
        permission=WRITE,
        fresh=True,
        second_factor=True,
        administers=True,
        event=events.USER_CREATE,
        errors=(ForbiddenError, TokenRevokedError, UserExistsError, UnknownRoleError),
    )
    async def create_user(
        self,
        *,
        email: Email,
        roles: Roles = [],  # noqa: B006 (never changed)
        invite: bool = True,
        identity: Identity,
        client: Client = Client(),
        **data: object,
    ) -> AdminUser:
        """Create a user. With `invite`, a mail lets the user set a password, and gives the roles then.

        Without a mailer and the feature `Invitations`, there is no mail.
        """
        by = self._by(identity, WRITE)
        address = self._parsed(email)
        roles = self._checked(roles)
        if invite and self.auth.letters.can_send and self.auth.get(InvitationService) is not None:
            user = await self.auth.users.invite(address, roles=roles, data=data, by=by, client=client)
        else:
            user = await self.auth.users.create(address, roles=roles, data=data, by=by, client=client)
        return AdminUser.of(user)

    @patch(
        "/users/{id}",
        partial=True,
        permission=WRITE,
        fresh=True,
        second_factor=True,
        administers=True,
        event=events.USER_CHANGE,
        errors=(*ERRORS, UserExistsError),
    )
    async def update_user(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        email: Email | None = None,
        email_verified: bool | None = None,
        identity: Identity,
        client: Client = Client(),
        **data: object,
    ) -> AdminUser:
        """Change a user. A new address ends sessions and mailed tokens; it needs `users:impersonate` as well.

        All of it is changed, or nothing. The address that the user has already changes nothing.
        """
        users, user = self.auth.users, await self.auth.users.get(id)
        address = user.email if email is None else self._parsed(email)
        is_new = address != user.email
        needs = (WRITE, IMPERSONATE) if is_new or email_verified is not None else (WRITE,)
        by = self._by(identity, *needs)
        if is_new:
            verified = bool(email_verified)
            user = await users.set_email(id, address, verified=verified, data=data, by=by, client=client)
        else:
            user = await users.store_data(id, data, verified=email_verified, by=by, client=client)
        return AdminUser.of(user)

    def _parsed(self, email: str) -> str:
        return parse_email(email, public=not self.auth.settings.private_addresses).display

    @post(
        "/users/{id}/roles",
        permission=ROLES,
        fresh=True,
        second_factor=True,
        event=events.ROLE_CHANGE,
        errors=(*ERRORS, UnknownRoleError),
    )
    async def set_user_roles(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        roles: Roles,
        identity: Identity,
        client: Client = Client(),
    ) -> AdminUser:
        """Set the roles of a user. Administrators give no permission that they lack."""
        given = self._checked(roles)
        user = await self.auth.users.set_roles(id, given, by=self._by(identity, ROLES), client=client)
        return AdminUser.of(user)

    @post(
        "/users/{id}/disable",
        permission=WRITE,
        fresh=True,
        second_factor=True,
        event=events.USER_CHANGE,
        errors=ERRORS,
    )
    async def disable_user(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        reason: BanReason = "",
        until: Time | None = None,
        tell: bool = False,
        identity: Identity,
        client: Client = Client(),
    ) -> AdminUser:
        """Disable an account, for good or `until` a time; with `tell`, a login is told reason and end."""
        by = self._by(identity, WRITE)
        return AdminUser.of(await self.auth.users.ban(id, reason=reason, until=until, tell=tell, by=by, client=client))

    @post(
        "/users/{id}/enable",
        permission=WRITE,
        fresh=True,
        second_factor=True,
        event=events.USER_CHANGE,
        errors=ERRORS,
    )
    async def enable_user(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        identity: Identity,
        client: Client = Client(),
    ) -> AdminUser:
        """End the ban of an account, or open one that was disabled or closed."""
        user = await self.auth.users.get(id)
        return AdminUser.of(await self._enabled(user, identity, client))

    def _checked(self, roles: list[str]) -> list[str]:
        """Return roles that can be stored. Raises ValidationError."""
        # No database stores the one, and no token the other.
        if not all(role.isprintable() for role in roles):
            raise ValidationError({"roles": [Reason("characters")]})
        try:
            return list(self.auth.permissions.checked_roles(roles))
        except AuthError:
            raise
        except ValueError:
            raise ValidationError({"roles": [Reason("too_long", count=MAX_ROLES)]}) from None

    async def _enabled(self, user: User, identity: Identity, client: Client) -> User:
        by = self._by(identity, WRITE)
        if Ban.of(user) is not None:
            return await self.auth.users.unban(user.id, by=by, client=client)
        return await self.auth.users.set_status(user.id, "active", by=by, client=client)

    @delete(
        "/users/{id}",
        status=204,
        permission=WRITE,
        fresh=True,
        second_factor=True,
        event=events.ACCOUNT_DELETE,
        errors=ERRORS,
    )
    async def delete_user(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        identity: Identity,
        client: Client = Client(),
    ) -> None:
        """Delete a user with all data."""
        await self.auth.users.delete(id, by=self._by(identity, WRITE), client=client)
