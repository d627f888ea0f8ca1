"""Lockout: wrong passwords from any network start a cooldown for an account, longer each time."""

from collections.abc import Collection, Container

from asgi_auth.errors import AccountLockedError, AuthError
from asgi_auth.feature import Call, Endpoint, Event, Feature
from asgi_auth.feature.call import running
from asgi_auth.limits.rules import is_guess
from asgi_auth.model import event_types as events

#: The key of the note that holds the accounts for which a call's password is counted.
GUESSERS = "guessers"


class Lockout(Feature):
    """Starts a cooldown for an address after wrong passwords: 1, 2, 4 … minutes, at most an hour.

    `after`: the number of the wrong password that starts the first cooldown; `pause`: its seconds, doubled each time up
    to `longest`; `memory`: seconds without an attempt after which the count starts over. During a cooldown every
    password is refused with 429 `account_locked` before it is checked, the right one too, and for addresses without an
    account as well.

    The owner is not locked out: sessions and refresh go on, and for a logged-in user only the wrong passwords of that
    session count. A mailed link (`Unlock`) or a new password opens the account. For a day after that, the network of
    the request has a count of its own as well.
    """

    observes: Container[str] | None = (events.PASSWORD_CHECK, events.PASSWORD_CHANGE)

    def __init__(self, *, after: int = 10, pause: int = 60, longest: int = 3600, memory: int = 86400) -> None:
        """Take the bounds. Raises ValueError."""
        if not (0 < after <= 100 and 0 < pause <= longest < memory < 10**9):
            raise ValueError("after is 1 to 100, and pause, longest and memory grow in this order")
        self.bounds: dict[str, int] = {"after": after, "pause": pause, "longest": longest, "memory": memory}

    def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:
        """Name the error of endpoints that take a password."""
        return (AccountLockedError,) if endpoint.takes_password else ()

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint takes a password."""
        return endpoint.takes_password

    async def before(self, call: Call) -> None:
        """Count the password as wrong before it is checked: concurrent guesses do not get around the count."""
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
        """Reset the count after the right password; open an account with a new password."""
        if event.outcome != "success":
            return
        guessers = (running.get() or {}).get(GUESSERS, [])
        # The password may belong to another account than the one that the call names.
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
            # Strangers may have caused the cooldown of the account, so a right password does not end it.
            if counter is not None and counter.free_at <= now:
                await self.auth.counters.clear_counter(key)
