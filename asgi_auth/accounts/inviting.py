"""Invitations of users: an account without a password, and a mail with a link that sets one."""

from collections.abc import Mapping, Sequence
from typing import Any

from asgi_auth.accounts.extra_fields import checked_data
from asgi_auth.accounts.invitations import Invitation
from asgi_auth.accounts.passwords import KIND
from asgi_auth.accounts.user_base import By, actor_of, called_by
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
        service = self._parts.invitations()
        if service is None or not self._parts.letters.can_send:
            raise ValueError("an invitation needs the feature Invitations, and a mailer")
        await self._parts.start()
        address, given, call = parse_email(email), self._parts.permissions.checked_roles(roles), called_by(client)
        known = await self._storage.user_by_email(address.canonical)
        new, credentials = known, list[Credential]()
        if new is None:
            new, credentials = self._new(address, verified=False, roles=(), data=data, user_id=None, secret=None)
        invitation = Invitation(roles=given, by=actor_of(by), judged=by is not None and not isinstance(by, Identity))
        async with self._changing(new.id, by, given or None) as storage:
            user = await (self._added(storage, new, credentials) if known is None else self._known(storage, new, data))
            secret = await service.store(storage, user, invitation)
        if known is None:
            await self._emit(events.USER_CREATE, user.id, by, call)
        await service.send(user, secret, call, language)
        return user

    async def _added(self, storage: Storage, user: User, credentials: Sequence[Credential]) -> User:
        [added] = await storage.add_users([(user, credentials)])
        if added is None:
            raise await self._taken(user)
        return added

    async def _known(self, storage: Storage, user: User, data: Mapping[str, Any] | None) -> User:
        """Return an account that may be invited, with its new extra fields."""
        changes = {"data": checked_data(self._parts.settings.fields, data)} if data else {}
        locked = await storage.update_user(user.id, changes, self._now)
        credential = await storage.credential(user.id, KIND)
        if locked is None or locked.status != "active" or (credential is not None and credential.secret):
            raise UserExistsError
        return locked
