"""Turns records of a file into users and credentials, with all checks that need no database."""

import base64
import binascii
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec

from asgi_auth.accounts.extra_fields import checked_data
from asgi_auth.accounts.password_hashes import checked_hash
from asgi_auth.accounts.passwords import KIND, PasswordService
from asgi_auth.auth import Auth
from asgi_auth.crypto.vault import place_of
from asgi_auth.errors import PasswordPolicyError, ValidationError
from asgi_auth.importing.record import CredentialRecord, RefusedError, UserRecord
from asgi_auth.model.ban import BAN, Ban
from asgi_auth.model.records import NO_USER_ID, Credential, User, new_id
from asgi_auth.storage.user_columns import is_assigned
from asgi_auth.validation.email_address import PLAIN, Address, parse_email

WRONG_ID = "id: not an id of the users table; see new_ids"


@dataclass
class Prepared:
    """A user of a file, ready to be stored. `given_id` is the id in the file, `password` still has to be hashed."""

    line: int
    user: User
    credentials: list[Credential]
    given_id: str | None
    given: UserRecord
    password: str | None = field(default=None, repr=False)

    @property
    def was_used(self) -> bool:
        """Whether a credential has the time of its last use, which is stored after it."""
        return any(each.used_at is not None for each in self.credentials)


class Preparer:
    """Prepares records for one `Auth`."""

    def __init__(self, auth: Auth, *, new_ids: bool) -> None:
        """Take the `Auth`; `new_ids` ignores the ids of the file."""
        self._auth = auth
        self._now = auth.now
        self._fields = auth.settings.fields
        self._names = {item.name for item in auth.settings.fields}
        self._new_ids = new_ids
        #: Whether the database assigns the ids of users.
        self.assigns: bool = is_assigned(getattr(auth.storage, "id_type", "TEXT"))

    def prepare(self, line: int, record: UserRecord) -> Prepared:
        """Check a record, and make its user and credentials. Raises RefusedError."""
        given_id = None if self._new_ids else record.id
        if given_id is not None and (given_id == NO_USER_ID or not self._auth.storage.is_user_id(given_id)):
            raise RefusedError(WRONG_ID)
        user = self._user(record, given_id)
        found = [self._credential(each, user, record.id) for each in record.credentials]
        if sum(each.kind == KIND for each in found) + bool(record.password_hash) + bool(record.password) > 1:
            raise RefusedError("the record has more than one password")
        if record.password_hash:
            found.append(self._service().credential(user.id, record.password_hash))
        found = [self._with_usable_hash(each) for each in found]
        if record.password:
            self._check_password(record.password, user)
        found += self._auth.users.unique_values.claims(user.id, user.data)
        return Prepared(line, user, found, given_id, record, record.password)

    def _user(self, record: UserRecord, given_id: str | None) -> User:
        try:
            address = parse_address(record.email, public=not self._auth.settings.private_addresses)
        except ValidationError:
            raise RefusedError("email: not a valid address") from None
        try:
            roles = self._auth.permissions.checked_roles(record.roles)
        except (ValueError, ValidationError):
            raise RefusedError("roles: not the roles of a user, or longer than a token can hold") from None
        now = self._now()
        created_at = int(now) if record.created_at is None else record.created_at
        return User(
            id=given_id or new_id(now),
            email=address.display,
            email_canonical=address.canonical,
            email_verified=record.email_verified,
            status=record.status,
            roles=roles,
            data={item.name: deepcopy(item.default) for item in self._fields} | self._data(record.data),
            created_at=created_at,
            updated_at=int(now) if record.updated_at is None else record.updated_at,
            last_login=record.last_login,
        )

    def _data(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Check the extra fields, and the ban of an export."""
        values = dict(data)
        for name, value in data.items():
            if name == BAN:
                values[name] = _ban(value)
                continue
            if name not in self._names:
                raise RefusedError("data: a field that the settings do not declare")
            try:
                # A user of an earlier time may lack a field that is required by now.
                values |= {} if value is None else checked_data(self._fields, {name: value})
            except ValidationError:
                raise RefusedError(f"data: {name} is not a valid value") from None
        return values

    def _credential(self, each: CredentialRecord, user: User, old_id: str | None) -> Credential:
        now = int(self._now())
        identifier = user.id if each.identifier == old_id else each.identifier
        credential = Credential(
            id=each.id or new_id(now),
            user_id=user.id,
            kind=each.kind,
            identifier=identifier,
            secret=each.secret,
            data=each.data,
            version=each.version,
            created_at=now if each.created_at is None else each.created_at,
            updated_at=now if each.updated_at is None else each.updated_at,
            used_at=each.used_at,
        )
        if each.sealed is None:
            return credential
        try:
            value = base64.b64decode(each.sealed, validate=True)
        except (binascii.Error, ValueError):
            raise RefusedError("credentials: the sealed secret is damaged") from None
        return msgspec.structs.replace(credential, secret=self._auth.vault.seal(value, place_of(credential)))

    def _with_usable_hash(self, credential: Credential) -> Credential:
        """Check the hash of a password; other credentials, and a password that no login accepts, stay as they are."""
        if credential.kind != KIND or not credential.secret:
            return credential
        try:
            return msgspec.structs.replace(credential, secret=checked_hash(self._service().hasher, credential.secret))
        except RefusedError:
            raise
        except ValueError as error:
            raise RefusedError(str(error)) from None

    def _check_password(self, password: str, user: User) -> None:
        try:
            self._service().check(password, "password", user.email_canonical)
        except PasswordPolicyError:
            raise RefusedError("password: against the policy for new passwords") from None

    def _service(self) -> PasswordService:
        service = self._auth.get(PasswordService)
        if service is None:
            raise RefusedError("the record has a password, and the Auth has no feature Passwords")
        return service


def parse_address(text: str, *, public: bool) -> Address:
    """Validate an address as `parse_email` does; the domains of plain addresses are validated once.

    Most users of a file have one of a few domains, and validation takes most of the time of an import.
    """
    if PLAIN.fullmatch(text) is None:
        return parse_email(text, public=public)
    local, _, domain = text.rpartition("@")
    shown, canonical = _domain(domain, public=public)
    return Address(f"{local}@{shown}", f"{local.lower()}@{canonical}")


@lru_cache(1024)
def _domain(domain: str, *, public: bool) -> tuple[str, str]:
    found = parse_email(f"a@{domain}", public=public)
    return found.display.rpartition("@")[2], found.canonical.rpartition("@")[2]


def _ban(value: Any) -> dict[str, Any] | None:
    """Check the ban of a user. Raises RefusedError."""
    try:
        return None if value is None else msgspec.to_builtins(msgspec.convert(value, Ban))
    except msgspec.ValidationError:
        raise RefusedError(f"data: {BAN} is not a valid value") from None
