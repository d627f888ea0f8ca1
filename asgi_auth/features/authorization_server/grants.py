"""Grants: what a user has allowed a client, in one credential for each of the two."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from asgi_auth.errors import ServiceUnavailableError
from asgi_auth.feature import Credential, new_id
from asgi_auth.features.authorization_server.requests import Asked
from asgi_auth.storage import Storage

KIND = "oauth_grant"
#: Concurrent consents of one user and client change the grant one after the other.
TRIES = 8


class Grants:
    """Stores grants."""

    def __init__(self, storage: Storage, now: Callable[[], float]) -> None:
        """Take the storage and the clock."""
        self._storage = storage
        self._now = now

    async def find(self, user_id: str, key: str, storage: Storage | None = None) -> Credential | None:
        """Return the grant of a user for a client."""
        found = await (storage or self._storage).find_credential(KIND, _identifier(user_id, key))
        return found[1] if found is not None and found[1].user_id == user_id else None

    async def allow(self, storage: Storage, user_id: str, asked: Asked, host: str) -> Credential:
        """Add what is asked for to the grant of a user, in a transaction.

        Raises ServiceUnavailableError after too many others at once.
        """
        for _ in range(TRIES):
            now, old = int(self._now()), await self.find(user_id, asked.client.key, storage)
            data = _joined(old.data if old is not None else {}, asked, host)
            if old is not None and data == old.data:
                return old
            if old is not None:
                changed = await storage.change_credential(old, data=data, now=now)
            else:
                changed = Credential(
                    id=new_id(self._now()),
                    user_id=user_id,
                    kind=KIND,
                    identifier=_identifier(user_id, asked.client.key),
                    secret="",
                    data=data,
                    created_at=now,
                    updated_at=now,
                )
                changed = changed if await storage.add_credential(changed) else None
            if changed is not None:
                return changed
        raise ServiceUnavailableError


def allowed(grant: Credential | None, resource: str) -> tuple[str, ...]:
    """Return the scopes of a resource that a grant allows."""
    return tuple(grant.data.get("scopes", {}).get(resource, ())) if grant is not None else ()


def _joined(old: Mapping[str, Any], asked: Asked, host: str) -> dict[str, Any]:
    path = asked.resource.served.path
    scopes = dict(old.get("scopes", {}))
    scopes[path] = sorted({*scopes.get(path, ()), *asked.scopes})
    return {"client": asked.client.id, "name": asked.client.name, "host": host, "scopes": scopes}


def _identifier(user_id: str, key: str) -> str:
    return f"{user_id} {hashlib.sha256(key.encode()).hexdigest()}"
