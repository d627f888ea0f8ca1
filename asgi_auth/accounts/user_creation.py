"""Accounts that administrators, scripts and imports create."""

from collections.abc import Mapping, Sequence
from typing import Any

from asgi_auth.accounts.extra_fields import complete_data
from asgi_auth.accounts.password_hashes import checked_hash
from asgi_auth.accounts.user_base import By, UserBase, called_by
from asgi_auth.errors import UserExistsError, UserIdExistsError, ValidationError
from asgi_auth.model import event_types as events
from asgi_auth.model.records import NO_USER_ID, Client, Credential, User, new_id
from asgi_auth.sources.kinds import check_kind
from asgi_auth.validation.email_address import Address, parse_email
from asgi_auth.validation.reasons import Reason


class UserCreation(UserBase):
    """The part of `auth.users` that creates accounts."""

    async def create(
        self,
        email: str,
        *,
        password: str | None = None,
        password_hash: str | None = None,
        verified: bool = False,
        roles: Sequence[str] = (),
        data: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 (the name of the column)
        by: By = None,
        client: Client | None = None,
    ) -> User:
        """Create an account at once, whatever the settings of registration say. No mail is sent.

        Without a password, its user logs in by other ways, or sets one by a reset. `password` must fit the policy;
        `password_hash` is a PHC string of Argon2, or with `Passwords(import_hashes=True)` one of another system. `id`
        is for accounts that had one elsewhere. Raises UserExistsError for a taken address, UserIdExistsError for an id,
        UnknownRoleError, ValidationError, PasswordPolicyError, and ValueError for a hash, an id or roles that cannot be
        stored.
        """
        check_kind("email", email, str)
        check_kind("verified", verified, bool)
        check_kind("id", id, str | None)
        await self._parts.start()
        address = parse_email(email)
        given = self._parts.permissions.checked_roles(roles)
        secret = await self._secret(password, password_hash, address.canonical)
        user, credentials = self._new(address, verified=verified, roles=given, data=data, user_id=id, secret=secret)
        async with self._changing(user.id, by, given or None) as storage:
            [added] = await storage.add_users([(user, credentials)])
            if added is not None and id is not None and added.id != id:
                raise ValueError("the database assigns the ids of users itself")
        if added is None:
            raise await self._taken(user)
        call = called_by(client)
        await self._emit(events.USER_CREATE, added.id, by, call)
        return added

    def _new(
        self,
        address: Address,
        *,
        verified: bool,
        roles: tuple[str, ...],
        data: Mapping[str, Any] | None,
        user_id: str | None,
        secret: str | None,
    ) -> tuple[User, list[Credential]]:
        """Return a user and its credentials; nothing is stored."""
        if user_id is not None and (user_id == NO_USER_ID or not self._storage.is_user_id(user_id)):
            raise ValueError("the table of users has no ids of this form")
        now = self._parts.now()
        user = User(
            id=user_id or new_id(now),
            email=address.display,
            email_canonical=address.canonical,
            email_verified=verified,
            roles=roles,
            data=complete_data(self._parts.settings.fields, {} if data is None else data),
            created_at=int(now),
            updated_at=int(now),
        )
        password = [self._parts.passwords().credential(user.id, secret)] if secret is not None else []
        return user, [*password, *self.unique_values.claims(user.id, user.data)]

    async def _secret(self, password: str | None, password_hash: str | None, canonical: str) -> str | None:
        """Return the hash of a new password; None without one. Raises PasswordPolicyError and ValueError."""
        check_kind("password", password, str | None)
        check_kind("password_hash", password_hash, str | None)
        if password is not None and password_hash is not None:
            raise ValueError("give a password or a password_hash, not both")
        passwords = self._parts.passwords()
        if password is None:
            return None if password_hash is None else checked_hash(passwords.hasher, password_hash)
        passwords.check(password, "password", canonical)
        return await passwords.hasher.hash(password)

    async def _taken(self, user: User) -> UserExistsError | ValidationError:
        """Return the reason why a user could not be added."""
        if await self._storage.user_by_email(user.email_canonical) is not None:
            return UserExistsError()
        if names := await self.unique_values.taken(self._storage, user.data):
            return ValidationError({name: [Reason("taken")] for name in names})
        fields = [item.name for item in self._parts.settings.fields if item.column]
        own = [name for name in fields if user.data.get(name) is not None]
        if own and await self._storage.user(user.id) is None:
            # A column of the host refused one of the values.
            return ValidationError({name: [Reason("invalid")] for name in own})
        return UserIdExistsError()
