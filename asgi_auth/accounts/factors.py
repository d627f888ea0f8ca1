"""Second factors of a user: guesses at them, and their removal."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from asgi_auth.accounts.letters import Letters
from asgi_auth.errors import AccountLockedError, InvalidCodeError
from asgi_auth.limits.rules import Limiter
from asgi_auth.model.records import Backoff, Client, LoginAttempt, User
from asgi_auth.sessions.second_factors import MFA, SecondFactorGate
from asgi_auth.storage import Storage

#: The pauses after wrong codes of one user, over all sessions and pending logins.
BACKOFF = Backoff(after=10, pause=60, longest=3600, memory=86400)
#: More wrong codes than any count has.
ALL = 2**31


class Factors:
    """What features do with second factors: `auth.factors`."""

    def __init__(self, gate: SecondFactorGate, limiter: Limiter, letters: Letters, now: Callable[[], float]) -> None:
        """Take the collaborators."""
        self._gate = gate
        self._limiter = limiter
        self._letters = letters
        self._now = now

    @asynccontextmanager
    async def guess(self, kind: str, user: User, client: Client) -> AsyncIterator[None]:
        """Count a guess at a factor of a user: one is wrong when the block raises InvalidCodeError.

        Guesses at one kind are counted together, and a pause shuts this kind alone: the other factors stay open.
        Raises AccountLockedError during a pause. Trouble of the server counts nothing.
        """
        key, counters = self._limiter.key("second factor", kind, user.id), self._limiter.counters

        async def end(*, wrong: bool, forgiven: int = 0) -> None:
            await counters.end_guess(key, int(self._now()), BACKOFF, wrong=wrong, forgiven=forgiven)

        async def take_back(result: int | None) -> None:
            if result == 0:
                await end(wrong=False)

        seconds = await self._limiter.patiently(
            key, lambda now: counters.begin_guess(key, now, BACKOFF), lambda result, _: result is None, take_back
        )
        if seconds:
            raise AccountLockedError(seconds)
        try:
            yield
        except InvalidCodeError:
            await end(wrong=True)
            await self._tell_of_pause(key, user, client)
            raise
        except BaseException:
            await end(wrong=False)
            raise
        await end(wrong=False, forgiven=ALL)

    async def remove(self, storage: Storage, user: User, kinds: Collection[str]) -> bool:
        """Delete the factors of some kinds in a transaction; return whether there were any.

        Backups go with the last factor. All live sessions of the user lose the method `mfa`.
        """
        now = int(self._now())
        if not await storage.delete_credentials(user.id, kinds):
            return False
        left = await storage.credentials(user.id)
        if not self._gate.names(left):
            await storage.delete_credentials(user.id, {each.kind for each in left if self._gate.is_factor(each.kind)})
        await storage.lower_sessions(user.id, (MFA,), now)
        return True

    async def of(self, user: User, client: Client = Client()) -> list[str]:
        """Return the names of a user's second factors."""
        return await self._gate.factors(LoginAttempt(user, (), client))

    async def _tell_of_pause(self, key: str, user: User, client: Client) -> None:
        """Write to the user when the first pause begins."""
        counted = await self._limiter.counters.counter(key, int(self._now()))
        if counted is not None and counted.count == BACKOFF.after and self._letters.can_send:
            self._letters.notify("factor_paused", user, client)
