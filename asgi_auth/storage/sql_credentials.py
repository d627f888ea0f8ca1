"""Credentials over SQL."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from asgi_auth.model.records import Credential, User
from asgi_auth.storage.rows import columns, credential_of, first, user_of, user_with_credential_of
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import credentials


class SQLCredentials(Runner):
    """The methods of `Storage` for credentials."""

    async def add_credential(self, credential: Credential) -> bool:
        """Insert the credential, unless its kind and identifier are taken."""
        values = columns(credential)
        del values["used_at"]
        return bool(await self.run_unless_conflict(credentials.ADD_CREDENTIAL, values))

    async def credential(self, user_id: str, kind: str) -> Credential | None:
        """Select the newest credential of the kind."""
        rows = await self.run(credentials.CREDENTIAL, {"user_id": user_id, "kind": kind}, read=True)
        return first(credential_of, rows)

    async def credentials(self, user_id: str, kind: str | None = None) -> list[Credential]:
        """Select the credentials of the user."""
        rows = await self.run(credentials.CREDENTIALS, {"user_id": user_id, "kind": kind}, read=True)
        return [credential_of(row) for row in rows]

    async def user_with_credential(self, canonical: str, kind: str) -> tuple[User, Credential | None] | None:
        """Select the user joined with the newest credential."""
        values = {"canonical": canonical, "kind": kind}
        return first(user_with_credential_of, await self.run(credentials.USER_WITH_CREDENTIAL, values, read=True))

    async def find_credential(self, kind: str, identifier: str) -> tuple[User, Credential] | None:
        """Select the credential by its unique index, joined with the user."""
        values = {"kind": kind, "identifier": identifier}
        rows = await self.run(credentials.FIND_CREDENTIAL, values, read=True)
        return (user_of(rows[0]), credential_of(rows[0], "credential_")) if rows else None

    async def change_credential(
        self, credential: Credential, *, secret: str | None = None, data: Mapping[str, Any] | None = None, now: int
    ) -> Credential | None:
        """Update the credential if its version is unchanged."""
        text = None if data is None else msgspec.json.encode(data).decode()
        values = {"id": credential.id, "version": credential.version, "secret": secret, "data": text, "now": now}
        return first(credential_of, await self.run(credentials.CHANGE_CREDENTIAL, values))

    async def use_credential(self, credential_id: str, now: int, quiet: int) -> None:
        """Update the time in one statement, which changes no row if it is recent."""
        await self.run(credentials.USE_CREDENTIAL, {"id": credential_id, "now": now, "quiet": quiet})

    async def delete_credential(self, user_id: str, credential_id: str) -> Credential | None:
        """Delete by the primary key."""
        values = {"user_id": user_id, "id": credential_id}
        return first(credential_of, await self.run(credentials.DELETE_CREDENTIAL, values))

    async def delete_credentials(self, user_id: str, kinds: Collection[str]) -> list[Credential]:
        """Delete the credentials of one kind after the other, in one transaction."""
        if not kinds:
            return []

        async def delete(storage: "SQLCredentials") -> list[Credential]:
            values = [{"user_id": user_id, "kind": kind} for kind in sorted(kinds)]
            rows = [row for each in values for row in await storage.run(credentials.DELETE_CREDENTIALS, each)]
            return [credential_of(row) for row in rows]

        return await self._atomically(delete)

    async def all_credentials(self, kind: str, after: str, limit: int) -> list[Credential]:
        """Select one page by the index of kinds and ids."""
        values = {"kind": kind, "after": after, "limit": limit}
        return [credential_of(row) for row in await self.run(credentials.ALL_CREDENTIALS, values, read=True)]
