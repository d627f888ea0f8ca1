"""Lockout: wrong passwords from any network start a cooldown for strangers, longer each time."""

from collections.abc import Collection, Container, Sequence
from functools import partial

from asgi_auth.errors import AccountLockedError, AuthError, BusyError
from asgi_auth.feature import Call, Ending, Endpoint, Event, Feature
from asgi_auth.limits.rules import GUESS, Guess, is_guess, note_right_password, was_right, was_wrong
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Backoff
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.numbers import check_whole

#: The note of a call with the keys for which its guess is in flight.
BEGUN = "lockout"
#: More wrong passwords than any count has.
ALL = 2**31


class Lockout(Feature):
    """Starts a cooldown for an address after wrong passwords: 1, 2, 4 … minutes, at most an hour.

    `after`: the number of the wrong password that starts the first cooldown; `pause`: its seconds, doubled each time up
    to `longest`; `memory`: seconds without an attempt after which the count starts over. During a cooldown every
    password is refused with 429 `account_locked` before it is checked, the right one too, and for addresses without an
    account as well. Right passwords, and those that the server could not check, are not counted.

    The owner is not locked out: sessions and refresh go on, and a live session, a known device and a known network are
    judged by their own wrong passwords alone. All known clients of an account together have 100 a day; beyond, they are
    strangers. A mailed link (`Unlock`) or a new password opens the account for the network of the request, for a day.
    """

    observes: Container[str] | None = (events.PASSWORD_CHECK, events.PASSWORD_CHANGE)

    @checks_options
    def __init__(self, *, after: int = 10, pause: int = 60, longest: int = 3600, memory: int = 86400) -> None:
        """Take the bounds. Raises ValueError."""
        check_whole(0, after=after, pause=pause, longest=longest, memory=memory)
        if not (0 < after <= 100 and 0 < pause <= longest < memory < 10**9):
            raise ValueError("after is 1 to 100, and pause, longest and memory grow in this order")
        self.backoff: Backoff = Backoff(after=after, pause=pause, longest=longest, memory=memory)

    def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:
        """Name the errors of endpoints that take a password."""
        return (AccountLockedError, BusyError) if endpoint.guesses == "password" else ()

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint takes a password."""
        return endpoint.guesses == "password"

    async def before(self, call: Call) -> None:
        """Begin the guess before the password is checked: concurrent guesses do not get around the count."""
        limiter, counters = self.auth.limiter, self.auth.counters
        guess = await limiter.guess_of(call) if is_guess(call) else None
        begun: list[str] = call.notes.setdefault(BEGUN, [])
        for key in guess.keys if guess is not None else ():
            counted = limiter.lockout_key(key)
            seconds = await limiter.patiently(
                counted,
                partial(counters.begin_guess, counted, backoff=self.backoff),
                lambda result, _: result is None,
                partial(self._take_back, counted),
            )
            if seconds:
                # `after` ends what has begun.
                raise AccountLockedError(seconds)
            begun.append(key)

    async def _take_back(self, key: str, result: int | None) -> None:
        """End a guess that has begun although its call is cancelled."""
        if result == 0:
            await self.auth.counters.end_guess(key, int(self.auth.now()), self.backoff, wrong=False)

    async def after(self, call: Call, ending: Ending) -> None:
        """Count the guess if the password was wrong."""
        begun: Sequence[str] = call.notes.get(BEGUN, ())
        for key in begun:
            await self._end(call.notes[GUESS], key, call, ending)

    async def _end(self, guess: Guess, key: str, call: Call, ending: Ending) -> None:
        """End a guess for one of its keys."""
        limiter, counters = self.auth.limiter, self.auth.counters
        counted, now = limiter.lockout_key(key), int(self.auth.now())
        own = limiter.key("lockout of a network", guess.network, key) if guess.is_of_stranger else None
        if was_wrong(call, ending):
            await counters.end_guess(counted, now, self.backoff, wrong=True)
            if own is not None:
                await counters.count(own, now, self.backoff.memory)
            if guess.is_known:
                await limiter.count_of_known(guess, now)
        elif was_right(call):
            await self._forgive(counted, own, now)
        else:
            await counters.end_guess(counted, now, self.backoff, wrong=False)

    async def observe(self, event: Event) -> None:
        """Note a right password; open an account with a new one."""
        if event.name == events.PASSWORD_CHECK:
            note_right_password(event)
        elif event.outcome == "success" and event.user_id is not None:
            user = await self.auth.storage.user(event.user_id)
            if user is not None:
                await self.auth.limiter.open_account(user.email_canonical, event.client)

    async def _forgive(self, key: str, own: str | None, now: int) -> None:
        """Forget the wrong passwords of the client that knows the right one, and no others."""
        counters, forgiven = self.auth.counters, ALL
        if own is not None:
            counted = await counters.counter(own, now)
            forgiven = counted.count if counted is not None else 0
        await counters.end_guess(key, now, self.backoff, wrong=False, forgiven=forgiven)
        if own is not None and forgiven:
            await counters.clear_counter(own)
