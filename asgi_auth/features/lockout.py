"""Lockout: wrong passwords make an account wait, longer each time, wherever they come from."""

from asgi_auth import events
from asgi_auth.feature import Call, Feature
from asgi_auth.limits import AccountLockedError, account_of, counter_key, is_guess
from asgi_auth.records import Event

CLEARING = {events.PASSWORD_VERIFIED, events.PASSWORD_CHANGED}


class Lockout(Feature):
    """Pauses the password of an address after wrong ones: 1, 2, 4 … minutes, an hour at most.

    `after`: the wrong password that begins the first pause; `pause`: its seconds, doubled each time up to `longest`;
    `memory`: seconds without an attempt after which all is forgotten. During a pause every password is refused with
    429 `account_locked` before it is looked at, the right one too, for addresses without an account alike. Sessions,
    refresh, magic links and a reset by mail go on; a right or a new password clears it.
    """

    def __init__(self, *, after: int = 10, pause: int = 60, longest: int = 3600, memory: int = 86400) -> None:
        """Take the bounds; raises ValueError."""
        if not (0 < after <= 100 and 0 < pause <= longest < memory < 10**9):
            raise ValueError("after is 1 to 100, and pause, longest and memory grow in this order")
        self.after = after
        self.pause = pause
        self.longest = longest
        self.memory = memory

    async def before(self, call: Call) -> None:
        """Count the password as a wrong one before it is looked at: concurrent guesses can't get around it."""
        account = await account_of(call) if is_guess(call) else ""
        if not account:
            return
        seconds = await self.auth.storage.attempt(
            self._key(account),
            int(self.auth.now()),
            after=self.after,
            pause=self.pause,
            longest=self.longest,
            memory=self.memory,
        )
        if seconds:
            raise AccountLockedError(seconds)

    async def observe(self, event: Event) -> None:
        """Forget the wrong passwords of an account whose password was right, or is new."""
        if event.name in CLEARING and event.user_id is not None:
            user = await self.auth.storage.user(event.user_id)
            if user is not None:
                await self.auth.storage.clear_counter(self._key(user.email_canonical))

    def _key(self, account: str) -> str:
        return counter_key(self.auth, "lockout", account)
