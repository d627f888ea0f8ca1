"""Lockout: wrong passwords make an account wait, longer each time, wherever they come from."""

from collections.abc import Collection, Container

from asgi_auth.errors import AccountLockedError, AuthError
from asgi_auth.feature import Call, Endpoint, Event, Feature
from asgi_auth.feature.call import running
from asgi_auth.limits.rules import is_guess
from asgi_auth.model import event_types as events

#: Under which the notes of a call keep whom its password is counted for.
GUESSERS = "guessers"


class Lockout(Feature):
    """Pauses the password of an address after wrong ones: 1, 2, 4 … minutes, an hour at most.

    `after`: the wrong password that begins the first pause; `pause`: its seconds, doubled each time up to `longest`;
    `memory`: seconds without an attempt after which all is forgotten. During a pause every password is refused with
    429 `account_locked` before it is looked at, the right one too, for addresses without an account alike.

    It keeps no owner out: sessions and refresh go on, and who is logged in is judged by the own wrong passwords only.
    A mailed link (`Unlock`) or a new password opens the account, and for a day the network that it came from is judged
    by its own wrong passwords as well.
    """

    observes: Container[str] | None = (events.PASSWORD_CHECK, events.PASSWORD_CHANGE)

    def __init__(self, *, after: int = 10, pause: int = 60, longest: int = 3600, memory: int = 86400) -> None:
        """Take the bounds; raises ValueError."""
        if not (0 < after <= 100 and 0 < pause <= longest < memory < 10**9):
            raise ValueError("after is 1 to 100, and pause, longest and memory grow in this order")
        self.bounds: dict[str, int] = {"after": after, "pause": pause, "longest": longest, "memory": memory}

    def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:
        """Name the refusal of endpoints that take a password."""
        return (AccountLockedError,) if endpoint.takes_password else ()

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Only endpoints that take a password are guessed at."""
        return endpoint.takes_password

    async def before(self, call: Call) -> None:
        """Count the password as a wrong one before it is looked at: concurrent guesses can't get around it."""
        if not is_guess(call):
            return
        seconds, now = 0, int(self.auth.now())
        guessers = call.notes[GUESSERS] = await self.auth.limiter.accounts_of(call)
        for guesser in guessers:
            seconds = await self.auth.counters.count_with_backoff(
                self.auth.limiter.lockout_key(guesser), now, **self.bounds
            )
        if seconds:
            raise AccountLockedError(seconds)

    async def observe(self, event: Event) -> None:
        """Forget the wrong passwords of who has shown the right one; open an account whose password is new."""
        if event.outcome != "success":
            return
        guessers = (running.get() or {}).get(GUESSERS, [])
        # Whose password it was need not be whom the call has named.
        if event.name == events.PASSWORD_CHECK and guessers and event.account == guessers[0]:
            await self._forgive(guessers, event.at)
        elif event.name == events.PASSWORD_CHANGE and event.user_id is not None:
            user = await self.auth.storage.user(event.user_id)
            if user is not None:
                await self.auth.limiter.open_account(user.email_canonical, event.client)

    async def _forgive(self, guessers: list[str], now: int) -> None:
        own, *others = [self.auth.limiter.lockout_key(guesser) for guesser in reversed(guessers)]
        await self.auth.counters.clear_counter(own)
        for key in others:
            counter = await self.auth.counters.counter(key, now)
            # A pause that strangers brought about goes on: it isn't the owner's to end by a password alone.
            if counter is not None and counter.free_at <= now:
                await self.auth.counters.clear_counter(key)
