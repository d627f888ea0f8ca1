"""The contract of a storage: credentials."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from asgi_auth.model.records import Credential, User


class CredentialStore(Protocol):
    """Stores credentials. The rules of `Storage` hold for every method."""

    async def add_credential(self, credential: Credential) -> bool:
        """Add a credential. Returns False if its kind and identifier are taken, or the user does not exist."""

    async def credential(self, user_id: str, kind: str) -> Credential | None:
        """Return a user's newest credential of a kind."""

    async def credentials(self, user_id: str, kind: str | None = None) -> list[Credential]:
        """Return a user's credentials, of one kind or of all, oldest first."""

    async def user_with_credential(self, canonical: str, kind: str) -> tuple[User, Credential | None] | None:
        """Return the user with a canonical address, and the newest credential of a kind; None without such a user."""

    async def find_credential(self, kind: str, identifier: str) -> tuple[User, Credential] | None:
        """Return the credential of a kind with an identifier, and its user."""

    async def change_credential(
        self, credential: Credential, *, secret: str | None = None, data: Mapping[str, Any] | None = None, now: int
    ) -> Credential | None:
        """Set a new secret, new data, or both; raise the version by one, and return the new credential.

        Returns None if the stored version is no longer that of `credential`. Exactly one of many concurrent calls with
        the same version succeeds.
        """

    async def use_credential(self, credential_id: str, now: int, quiet: int) -> None:
        """Set the time of the last use, unless it is less than `quiet` seconds old. The version stays."""

    async def delete_credential(self, user_id: str, credential_id: str) -> Credential | None:
        """Delete a credential of a user, and return it. Exactly one of many concurrent calls returns it."""

    async def delete_credentials(self, user_id: str, kinds: Collection[str]) -> list[Credential]:
        """Delete all credentials of a user of some kinds, and return them."""

    async def all_credentials(self, kind: str, after: str, limit: int) -> list[Credential]:
        """Return at most `limit` credentials of a kind, of any user, whose ids are greater than `after`, ascending."""
