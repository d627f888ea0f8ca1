"""The contract of a storage: one-time tokens."""

from collections.abc import Mapping
from typing import Any, Protocol

from asgi_auth.model.records import OneTimeToken


class TokenStore(Protocol):
    """Stores one-time tokens. The rules of `Storage` hold for every method."""

    async def add_token(self, token: OneTimeToken) -> bool:
        """Add a one-time token, or replace the one with the same id, used or not. Returns False if its user is gone."""

    async def void_earlier(self, token: OneTimeToken) -> None:
        """Use all other live tokens with the purpose, the subject and the asker of a token."""

    async def find_token(self, purpose: str, digest: str, now: int) -> OneTimeToken | None:
        """Return the live token of a purpose with a digest. Does not use it."""

    async def tokens(self, user_id: str, purpose: str, now: int) -> list[OneTimeToken]:
        """Return the live tokens of a user with a purpose, newest first."""

    async def change_token(self, token_id: str, *, user_id: str, data: Mapping[str, Any], now: int) -> bool:
        """Give a live token that belongs to no user a user and data; return whether it was one.

        Exactly one of many concurrent calls returns True.
        """

    async def recall_token(self, request: str, purpose: str, subject: str, now: int) -> OneTimeToken | None:
        """Return the live token about a subject with the id `request`, of any purpose.

        Without one, returns the newest live token about the subject of the given purpose, or None.
        """

    async def try_code(self, purpose: str, token_id: str, code: str, *, now: int, tries: int) -> OneTimeToken | None:
        """Return a live token if the digest `code` is right; otherwise count a wrong code. Does not use the token.

        After `tries` wrong codes, a right code returns None, too. No number of concurrent calls gets more attempts.
        """

    async def count_password(self, token_id: str, *, now: int, tries: int) -> bool:
        """Count an attempt at the password of a live token; return False when there were `tries` before.

        Of many concurrent calls, at most `tries` return True.
        """

    async def uncount_password(self, token_id: str) -> None:
        """Take back an attempt that `count_password` has counted."""

    async def use_token(self, token_id: str, now: int) -> bool:
        """Use a live token, and return whether it was live. Exactly one of many concurrent calls returns True.

        A used token keeps no data: this holds for all methods that use tokens.
        """

    async def void_tokens(self, user_id: str, now: int, purpose: str | None = None, *, keep: str | None = None) -> None:
        """Use all live tokens of a user, of one purpose or of any, but not the token with the id `keep`."""

    async def void_subject(self, subject: str, now: int, purpose: str) -> None:
        """Use all live tokens of a purpose about a canonical address that belong to no user."""

    async def void_batch(self, after: str, now: int, batch: int) -> list[str]:
        """Use at most `batch` tokens of any kind whose ids are greater than `after`; return their ids, ascending."""

    async def delete_tokens_about(self, subject: str) -> None:
        """Delete all tokens about a canonical address."""
