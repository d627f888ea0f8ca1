"""Values of extra fields that no two users have: each is claimed by a credential that opens nothing.

The unique index of credentials decides, in the transaction that stores the value. So a value is given once, whatever
the number of callers and processes. The credential holds a digest of the value: an index takes short texts only.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asgi_auth.errors import ValidationError
from asgi_auth.model.records import CLAIM, Credential, User, new_id
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import canonical_or_none
from asgi_auth.validation.reasons import Reason
from asgi_auth.validation.user_field import Field


class UniqueValues:
    """Claims the values of unique fields."""

    def __init__(self, fields: Sequence[Field], now: Callable[[], float]) -> None:
        """Take the declared fields and the clock."""
        self._fields = {field.name: field for field in fields if field.unique}
        self._now = now

    def among(self, data: Mapping[str, Any]) -> bool:
        """Tell whether data has a unique field."""
        return not self._fields.keys().isdisjoint(data)

    async def claim(self, storage: Storage, user_id: str, data: Mapping[str, Any]) -> None:
        """Claim new values of a user, in a transaction that stores them, and give the earlier ones up.

        Concurrent calls for one user need a lock of the user. Raises ValidationError for values that others have.
        """
        own = [each for each in await storage.credentials(user_id) if each.is_claim]
        claims = self.claims(user_id, data)
        kept = {(each.kind, each.identifier) for each in own}
        # All claims first, by name: concurrent calls do not deadlock, since giving up waits for no other user.
        new = [each for each in claims if (each.kind, each.identifier) not in kept]
        taken = [each.kind.removeprefix(CLAIM) for each in new if not await storage.add_credential(each)]
        if taken:
            raise ValidationError({name: [Reason("taken")] for name in taken})
        values = {(each.kind, each.identifier) for each in claims}
        kinds = {CLAIM + name for name in self._fields.keys() & data.keys()}
        for each in own:
            if each.kind in kinds and (each.kind, each.identifier) not in values:
                await storage.delete_credential(user_id, each.id)

    def claims(self, user_id: str, data: Mapping[str, Any]) -> list[Credential]:
        """Return the credentials that claim the unique values in a user's data, sorted by field."""
        names = sorted(name for name in self._fields.keys() & data.keys() if data[name] is not None)
        return [self._claim_of(user_id, name, data[name]) for name in names]

    async def taken(self, storage: Storage, data: Mapping[str, Any]) -> list[str]:
        """Return the names of the fields whose values in the data of a new user are taken."""
        return [
            each.kind.removeprefix(CLAIM)
            for each in self.claims("", data)
            if await storage.find_credential(each.kind, each.identifier) is not None
        ]

    async def check_public(self, storage: Storage, data: Mapping[str, Any]) -> None:
        """Raise ValidationError for values of public fields that are taken. Other fields are not looked at."""
        public = {name: value for name, value in data.items() if self._is_public(name)}
        if found := await self.taken(storage, public):
            raise ValidationError({name: [Reason("taken")] for name in found})

    async def claim_missing(self, storage: Storage, user: User) -> list[str]:
        """Claim the values of a user that has no claim for the field yet; return the names of taken ones."""
        own = {each.kind for each in await storage.credentials(user.id) if each.is_claim}
        missing = [each for each in self.claims(user.id, user.data) if each.kind not in own]
        return [each.kind.removeprefix(CLAIM) for each in missing if not await storage.add_credential(each)]

    def _is_public(self, name: str) -> bool:
        return name in self._fields and self._fields[name].unique == "public"

    def _claim_of(self, user_id: str, name: str, value: object) -> Credential:
        now = self._now()
        canonical = _canonical(value, self._fields[name])
        return Credential(
            id=new_id(now),
            user_id=user_id,
            kind=CLAIM + name,
            identifier=hashlib.sha256(canonical.encode()).hexdigest(),
            secret="",
            created_at=int(now),
            updated_at=int(now),
        )


def _canonical(value: object, field: Field) -> str:
    """Return the form in which values are compared: addresses as those of accounts, other text without case."""
    if field.shape.kind == "email":
        return canonical_or_none(str(value)) or str(value)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", str(value)).casefold())
