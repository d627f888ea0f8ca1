"""The ways by which a user can log in, and accounts that change hands."""

from collections.abc import Collection, Sequence
from typing import Protocol

from asgi_auth.accounts.passwords import KIND, disable
from asgi_auth.errors import LastWayInError
from asgi_auth.model.records import NO_USER_ID, User
from asgi_auth.storage import Storage


class Way(Protocol):
    """The part of a feature that knows ways to log in."""

    async def ways_in(self, storage: Storage, user: User) -> Collection[str]:
        """Name the ways by which a user can log in with the feature."""


class WaysIn:
    """Asks the features by which ways a user can log in: `auth.ways_in`."""

    def __init__(self, features: Sequence[Way]) -> None:
        """Take the features."""
        self._features = features

    async def of(self, storage: Storage, user: User) -> list[str]:
        """Return the names of the ways, sorted."""
        return sorted({name for feature in self._features for name in await feature.ways_in(storage, user)})

    async def keep_one(self, storage: Storage, user_id: str, now: int) -> User:
        """Lock a user in a transaction that has taken a way away. Raises LastWayInError when none is left.

        Concurrent calls for one user wait for each other here, so that two of them cannot take the last two ways.
        """
        user = await storage.update_user(user_id or NO_USER_ID, {}, now)
        if user is None or not await self.of(storage, user):
            raise LastWayInError
        return user


async def take_over(
    storage: Storage, user_id: str, now: int, *, keep: str | None = None, spare: Collection[str] = ()
) -> list[str]:
    """Take everything that opens an account away, in a transaction: its address has only now been proven.

    A stranger may have made the account with the address of the owner (pre-hijacking). The password becomes unusable,
    all other credentials but those of the kinds to `spare` are deleted, the one-time tokens but `keep` become void, and
    the sessions end. Returns the ids of the sessions.
    """
    await disable(storage, user_id, now)
    # Claims of unique values open nothing, and the account keeps the values.
    others = {each.kind for each in await storage.credentials(user_id) if not each.is_claim} - {KIND, *spare}
    await storage.delete_credentials(user_id, others)
    await storage.void_tokens(user_id, now, keep=keep)
    return await storage.end_sessions(user_id, now)
