"""The contract of a storage: one-time tokens."""

from typing import Protocol

from asgi_auth.model.records import OneTimeToken


class TokenStore(Protocol):
    """Stores one-time tokens. The rules of `Storage` hold for every method."""

    async def add_token(self, token: OneTimeToken, *, quiet: int, since: int, most: int) -> bool:
        """Add a one-time token, within the limits for its purpose and subject; return whether it was added.

        It is not added if another one was added less than `quiet` seconds before; if `most` were added after `since`
        and at least one has not expired; or if its user does not exist. At most two of many concurrent calls for one
        purpose and subject succeed.
        """

    async def find_token(self, purpose: str, digest: str, now: int) -> OneTimeToken | None:
        """Return the live token of a purpose with a digest. Does not use it."""

    async def recall_token(self, request: str, purpose: str, subject: str, now: int) -> OneTimeToken | None:
        """Return the live token about a subject with the id `request`, of any purpose.

        Without one, returns the newest live token about the subject of the given purpose, or None.
        """

    async def try_code(self, purpose: str, token_id: str, code: str, *, now: int, tries: int) -> OneTimeToken | None:
        """Count an attempt on a live token, and return the token if the digest `code` is right. Does not use it.

        After `tries` attempts, a right code returns None, too. No number of concurrent calls gets more attempts.
        """

    async def use_token(self, token_id: str, now: int) -> bool:
        """Use a live token, and return whether it was live. Exactly one of many concurrent calls returns True."""

    async def void_tokens(self, user_id: str, now: int, purpose: str | None = None, *, keep: str | None = None) -> None:
        """Use all live tokens of a user, of one purpose or of any, but not the token with the id `keep`."""

    async def void_subject(self, subject: str, now: int, purpose: str) -> None:
        """Use all live tokens of a purpose about a canonical address that belong to no user."""
