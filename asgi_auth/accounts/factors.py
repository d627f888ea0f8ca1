"""Second factors of a user: which there are, and their removal."""

from collections.abc import Callable, Collection

from asgi_auth.model.records import Client, LoginAttempt, User
from asgi_auth.sessions.identity import MFA
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.second_factors import SecondFactorGate
from asgi_auth.storage import Storage


class Factors:
    """What features do with second factors: `auth.factors`."""

    def __init__(self, gate: SecondFactorGate, revocation: Revocation, now: Callable[[], float]) -> None:
        """Take the collaborators."""
        self._gate = gate
        self._revocation = revocation
        self._now = now

    async def remove(self, storage: Storage, user: User, kinds: Collection[str]) -> bool:
        """Delete the factors of some kinds in a transaction; return whether there were any.

        Backups go with the last factor. All live sessions of the user lose the method `mfa`, and so do their access
        tokens: at once in this process, and within `max_revocation_lag` seconds in others.
        """
        now = int(self._now())
        if not await storage.delete_credentials(user.id, kinds):
            return False
        left = await storage.credentials(user.id)
        if not self._gate.names(left):
            await storage.delete_credentials(user.id, {each.kind for each in left if self._gate.is_factor(each.kind)})
        # Before the commit is early enough: the tokens of these sessions are checked in the database from now on.
        self._revocation.lower(await storage.lower_sessions(user.id, (MFA,), now))
        return True

    async def remove_all(self, storage: Storage, user: User) -> list[str]:
        """Delete all second factors in a transaction; return their kinds."""
        kinds = {each.kind for each in await storage.credentials(user.id) if self._gate.is_factor(each.kind)}
        await self.remove(storage, user, kinds)
        return sorted(kinds)

    async def of(self, user: User, client: Client = Client()) -> list[str]:
        """Return the names of a user's second factors."""
        return await self._gate.factors(LoginAttempt(user, (), client))
