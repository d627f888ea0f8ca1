"""Second factors of a user: which there are, their setup, and their removal."""

import hashlib
from collections.abc import Callable, Collection

from asgi_auth.errors import FactorExistsError
from asgi_auth.model.records import Client, LoginAttempt, User
from asgi_auth.sessions.ends import PENDING_LOGIN
from asgi_auth.sessions.identity import MFA
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.second_factors import SecondFactorGate
from asgi_auth.storage import Storage


class Factors:
    """What features do with second factors: `auth.factors`."""

    def __init__(
        self, storage: Storage, gate: SecondFactorGate, revocation: Revocation, now: Callable[[], float]
    ) -> None:
        """Take the collaborators."""
        self._storage = storage
        self._gate = gate
        self._revocation = revocation
        self._now = now

    async def state(self, user: User) -> str:
        """Return a digest of a user and its credentials: a reset, an added factor and a removed one change it."""
        credentials = [each for each in await self._storage.credentials(user.id) if not each.is_kept]
        state = repr([(each.id, each.version) for each in credentials] + [user.email_canonical, user.updated_at])
        return hashlib.sha256(state.encode()).hexdigest()

    async def lock(self, storage: Storage, user_id: str, holder: str, *, is_first: bool) -> bool:
        """Lock a user in a transaction that adds a factor; return whether its setup is still live.

        `holder` is the id of the session that has begun the setup; with `is_first` it is that of the pending login of a
        user without a factor. A new password or the end of the session must not leave a factor behind. Backups from
        before the first factor may be those of a stranger, and are deleted. With `is_first`, raises FactorExistsError
        for a user that has a factor.
        """
        now = int(self._now())
        user = await storage.update_user(user_id, {}, now)
        if user is None or not await self._is_live(storage, user_id, holder, now, pending=is_first):
            return False
        credentials = await storage.credentials(user_id)
        has_factors = bool(self._gate.names(credentials))
        if is_first and has_factors:
            raise FactorExistsError
        if not has_factors:
            backups = {each.kind for each in credentials if self._gate.is_factor(each.kind)}
            await storage.delete_credentials(user_id, backups)
        return True

    async def remove(self, storage: Storage, user: User, kinds: Collection[str]) -> bool:
        """Delete the factors of some kinds in a transaction; return whether there were any. See `removed`."""
        if not await storage.delete_credentials(user.id, kinds):
            return False
        await self.removed(storage, user)
        return True

    async def removed(self, storage: Storage, user: User) -> None:
        """Follow the removal of a factor in its transaction: backups go with the last factor.

        All live sessions of the user lose the method `mfa`, and so do their access tokens: at once in this process, and
        within `max_revocation_lag` seconds in others.
        """
        left = await storage.credentials(user.id)
        if not self._gate.names(left):
            await storage.delete_credentials(user.id, {each.kind for each in left if self._gate.is_factor(each.kind)})
        # Before the commit is early enough: the tokens of these sessions are checked in the database from now on.
        self._revocation.lower(await storage.lower_sessions(user.id, (MFA,), int(self._now())))

    async def remove_all(self, storage: Storage, user: User) -> list[str]:
        """Delete all second factors in a transaction; return their kinds."""
        kinds = {each.kind for each in await storage.credentials(user.id) if self._gate.is_factor(each.kind)}
        await self.remove(storage, user, kinds)
        return sorted(kinds)

    async def of(self, user: User, client: Client = Client()) -> list[str]:
        """Return the names of a user's second factors."""
        return await self._gate.factors(LoginAttempt(user, (), client))

    async def _is_live(self, storage: Storage, user_id: str, holder: str, now: int, *, pending: bool) -> bool:
        """Tell whether the session, or the pending login, of a setup is still live."""
        if pending:
            return holder in {token.id for token in await storage.tokens(user_id, PENDING_LOGIN, now)}
        session = await storage.session(holder)
        return session is not None and session.revoked_at is None
