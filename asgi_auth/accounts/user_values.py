"""New users with unique values, and values that were there before their field was unique."""

from asgi_auth.accounts.user_base import UserBase
from asgi_auth.model.records import Credential, User
from asgi_auth.storage import Storage

#: Users that are read at once.
PAGE = 500


class UserValues(UserBase):
    """The part of `auth.users` that gives unique values to users."""

    async def add(self, storage: Storage, user: User, credential: Credential | None = None) -> User | None:
        """Add a user with checked data, and claim its unique values; None if the address is taken.

        Raises ValidationError for a value that another user has: nothing is added then, nor in a transaction around it
        that the error ends.
        """
        if not self.unique_values.among(user.data):
            return await storage.add_user(user, credential)
        async with storage.transaction() as inside:
            added = await inside.add_user(user, credential)
            if added is not None:
                await self.unique_values.claim(inside, added.id, added.data)
        return added

    async def claim_unique(self) -> dict[str, list[str]]:
        """Claim the values that were stored before their field was unique; run it once after that change.

        Returns the ids of the users whose values others have, each with the names of these fields.
        """
        await self._parts.start()
        last: User | None = None
        taken: dict[str, list[str]] = {}
        while page := await self._storage.users(after=last, limit=PAGE):
            for user in page:
                if names := await self.unique_values.claim_missing(self._storage, user):
                    taken[user.id] = names
            last = page[-1]
        return taken
