"""Invitations of users: an account without a password, and a mail with a link that sets one."""

from collections.abc import Mapping, Sequence
from typing import Any

from asgi_auth.accounts.extra_fields import checked_data
from asgi_auth.accounts.invitations import Invitation, InvitationService
from asgi_auth.accounts.passwords import KIND
from asgi_auth.accounts.user_base import By, actor_of, called_by, found
from asgi_auth.accounts.user_creation import UserCreation
from asgi_auth.errors import UserExistsError
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client, Credential, User
from asgi_auth.sessions.identity import Identity
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import parse_email


class Inviting(UserCreation):
    """The part of `auth.users` that invites."""

    async def invite(
        self,
        email: str,
        *,
        roles: Sequence[str] = (),
        data: Mapping[str, Any] | None = None,
        language: str = "",
        by: By = None,
        client: Client | None = None,
    ) -> User:
        """Create an account without a password, and mail a link that sets one within seven days.

        The link works once. It is void after another invitation, a change of the address and a ban. The user has the
        `roles` from the acceptance on: if the inviter is gone, banned, or lost the right to give them, the link is
        void. An account that has no password yet is invited again. `language` is that of the mail, by default the
        client's. Raises UserExistsError for an account with a password, ValidationError, and ValueError without the
        feature `Invitations` or without a mailer.
        """
        service = self._service()
        await self._parts.start()
        address, given, call = parse_email(email), self._parts.permissions.checked_roles(roles), called_by(client)
        known = await self._storage.user_by_email(address.canonical)
        new, credentials = known, list[Credential]()
        if new is None:
            new, credentials = self._new(address, verified=False, roles=(), data=data, user_id=None, secret=None)
        async with self._changing(new.id, by, given or None) as storage:
            user = await (self._added(storage, new, credentials) if known is None else self._known(storage, new, data))
            secret = await service.store(storage, user, _invitation(given, by))
        if known is None:
            await self._emit(events.USER_CREATE, user.id, by, call)
        else:
            await self._emit(events.USER_CHANGE, user.id, by, call, fields=["invitation"])
        await service.send(user, secret, call, language)
        return user

    async def invite_again(
        self, user_id: str, *, language: str = "", by: By = None, client: Client | None = None
    ) -> User:
        """Mail a new link to a user without a password; the earlier link is void.

        It gives the roles of the open invitation, if there is one: `by` must be allowed to give them. Raises
        UserNotFoundError, UserExistsError for an account with a password or one that is not active, and ValueError
        without the feature `Invitations` or without a mailer.
        """
        service, call = self._service(), called_by(client)
        async with self._changing(user_id, by) as storage:
            user = await self._known(storage, found(await storage.user(user_id)), None)
            roles = await service.roles_of(storage, user.id)
            if roles and by is not None and not isinstance(by, Identity):
                await by.judge(storage, user.id, roles)
            secret = await service.store(storage, user, _invitation(roles, by))
        await self._emit(events.USER_CHANGE, user.id, by, call, fields=["invitation"])
        await service.send(user, secret, call, language)
        return user

    def _service(self) -> InvitationService:
        service = self._parts.invitations()
        if service is None or not self._parts.letters.can_send:
            raise ValueError("an invitation needs the feature Invitations, and a mailer")
        return service

    async def _added(self, storage: Storage, user: User, credentials: Sequence[Credential]) -> User:
        [added] = await storage.add_users([(user, credentials)])
        if added is None:
            raise await self._taken(user)
        return added

    async def _known(self, storage: Storage, user: User, data: Mapping[str, Any] | None) -> User:
        """Return an account that may be invited, with its new extra fields."""
        changes = {"data": checked_data(self._parts.settings.fields, data)} if data is not None else {}
        locked = await storage.update_user(user.id, changes, self._now)
        credential = await storage.credential(user.id, KIND)
        if locked is None or locked.status != "active" or (credential is not None and credential.secret):
            raise UserExistsError
        return locked


def _invitation(roles: Sequence[str], by: By) -> Invitation:
    judged = by is not None and not isinstance(by, Identity)
    return Invitation(roles=tuple(roles), by=actor_of(by), judged=judged)
