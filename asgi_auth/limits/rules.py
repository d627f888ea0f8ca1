"""The keys by which guesses and calls are counted, for `RateLimits`, `Lockout` and `Unlock`.

Guesses of strangers must not lock the owner of an account out. So guesses at an account are counted together only when
nothing tells the owner from a stranger. Each session has a count of its own. So has each known client
(`auth.known_clients`), and each network from which the account was opened, by a mailed link or with a new password.

A stranger can name an account by its username. Such guesses are counted for the account, and for the name as well. So
the count of a name goes on when its account is deleted or gets another address, as that of an unknown name does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from asgi_auth.bounds.deadline import TO_SETTLE, Deadline
from asgi_auth.errors import BusyError
from asgi_auth.feature.call import NAMED, Call, Ending, running
from asgi_auth.limits.counter_keys import CounterKeys, network_of
from asgi_auth.limits.counters import Counters
from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.model.records import Client, Event, Record
from asgi_auth.process.background import finish
from asgi_auth.validation.email_address import canonical_or_none

T = TypeVar("T")
#: Seconds that an account stays open for a network.
OPEN = 86400
#: Wrong passwords of all known clients of an account, and the seconds in which they are counted. From then on they are
#: strangers: one client can have many device cookies (NIST SP 800-63B-4, 3.2.2).
MOST_OF_KNOWN, KNOWN_MEMORY = 100, 86400
#: Seconds that a guess waits for others in flight, and the seconds between two looks, which double.
LONGEST_WAIT = 5.0
FIRST_LOOK, LAST_LOOK = 0.02, 0.25
#: The most guesses of a process that wait for one count.
MOST_WAITING = 64
#: The notes of a call: its guess, and whether the password was right.
GUESS, RIGHT = "guess", "right"


class Guess(Record, frozen=True, kw_only=True):
    """The password of a call.

    `key` stands for those whose wrong guesses are counted together. `keys` has the other name that a stranger gave to
    the account as well, first. A guess of a stranger has the `network` that it came from; those in a session have its
    id instead of an account. `is_known`: the device or network is known.
    """

    key: str
    keys: tuple[str, ...]
    account: str = ""
    session_id: str = ""
    network: str | None = None
    is_known: bool = False

    @property
    def is_of_stranger(self) -> bool:
        """Whether nothing tells the client from a stranger."""
        return self.network is not None


class Limiter:
    """Counts for accounts, sessions and networks: `auth.limiter`."""

    def __init__(
        self,
        counters: Counters,
        keys: CounterKeys,
        now: Callable[[], float],
        label: Callable[[str, Client], Awaitable[str]],
    ) -> None:
        """Take the counters and their keys; `label` names a known client of an account (`KnownClients.label`)."""
        self.counters = counters
        self.key: Callable[..., str] = keys.key
        self._now = now
        self._label = label
        self._waiting: dict[str, int] = {}

    def lockout_key(self, key: str) -> str:
        """Return the key under which wrong passwords are counted for one key of a guess."""
        return self.key("lockout", key)

    def keys_of(self, call: Call) -> tuple[str, ...]:
        """Return the keys for which a call counts that is no guess: those of the account that it names, or its own."""
        if is_guess(call):
            return ()
        account = named_in(call) or call.identity.id
        if NAMED in call.notes:
            return self._name_in(call), account
        return (account,) if account else ()

    async def guess_of(self, call: Call) -> Guess | None:
        """Return the guess of a call that has a password; None if it names no account."""
        if GUESS not in call.notes:
            call.notes[GUESS] = await self._guess_of(call)
        found: Guess | None = call.notes[GUESS]
        return found

    async def patiently(
        self,
        key: str,
        attempt: Callable[[int], Coroutine[Any, Any, T]],
        is_busy: Callable[[T, int], bool],
        take_back: Callable[[T], Awaitable[None]],
    ) -> T:
        """Attempt to count a guess until no guesses in flight are in its way; `attempt` takes the current time.

        When the call is cancelled during an attempt, `take_back` ends the guess that the attempt may have begun.
        Raises BusyError when that takes too long, and when too many guesses wait.
        """

        async def in_time(result: T) -> None:
            # Seconds of its own: the request may have none left.
            with Deadline(TO_SETTLE, urgent=True):
                await take_back(result)

        async def whole(now: int) -> T:
            return await finish(attempt(now), in_time)

        now = int(self._now())
        result = await whole(now)
        if not is_busy(result, now):
            return result
        if self._waiting.get(key, 0) >= MOST_WAITING:
            raise BusyError
        self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            return await self._wait(whole, is_busy)
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key]

    async def open_account(self, account: str, client: Client) -> None:
        """Count the guesses of the client at an account separately from now on, and forget its earlier ones.

        Those of strangers stay counted: the end of their pause would reveal that the account exists.
        """
        network, label = network_of(client.address), await self._label(account, client)
        # A known client that is a stranger today needs its network.
        opens = bool(network) and (not label or await self._is_used_up(account))
        async with self.counters.transaction() as counters:
            for own in filter(None, (label, "opened " + network if opens else "")):
                await counters.clear_counter(self.lockout_key(self._separate(own, account).key))
            if opens:
                # Cleared first, because an existing counter would keep its expiry.
                opened = self.key("opened", network, account)
                await counters.clear_counter(opened)
                await counters.count(opened, int(self._now()), OPEN)

    async def count_of_known(self, guess: Guess, now: int) -> None:
        """Count a wrong password of a known client for all known clients of the account."""
        await self.counters.count(self._known_key(guess.account), now, KNOWN_MEMORY)

    async def _wait(self, attempt: Callable[[int], Awaitable[T]], is_busy: Callable[[T, int], bool]) -> T:
        waited, pause = 0.0, FIRST_LOOK
        while waited < LONGEST_WAIT:
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, LAST_LOOK)
            now = int(self._now())
            result = await attempt(now)
            if not is_busy(result, now):
                return result
        raise BusyError

    async def _guess_of(self, call: Call) -> Guess | None:
        account = named_in(call)
        if not account:
            session_id = call.identity.session_id
            key = self.key("apart", "session", session_id)
            return Guess(key=key, keys=(key,), session_id=session_id) if session_id else None
        network = network_of(call.client.address)
        label = await self._label(account, call.client)
        if label and not await self._is_used_up(account):
            return self._separate(label, account, is_known=True)
        if network and await self._is_open(network, account):
            return self._separate("opened " + network, account)
        keys = (self._name_in(call), account) if NAMED in call.notes else (account,)
        return Guess(key=account, keys=keys, account=account, network=network)

    def _name_in(self, call: Call) -> str:
        """Return the key of the other name by which a call names an account; it depends on no account.

        It is a digest: no address has this form.
        """
        return self.key("name", call.notes[NAMED])

    async def _is_used_up(self, account: str) -> bool:
        """Tell whether the known clients of an account have had too many wrong passwords together."""
        now = int(self._now())
        counted = await self.counters.counter(self._known_key(account), now)
        if counted is None or counted.expires_at > now + KNOWN_MEMORY + MAX_SKEW:
            return False
        return counted.count >= MOST_OF_KNOWN

    def _known_key(self, account: str) -> str:
        return self.key("all known", account)

    async def _is_open(self, network: str, account: str) -> bool:
        """Tell whether the account was opened for a network, and not by a clock that was ahead."""
        now = int(self._now())
        opened = await self.counters.counter(self.key("opened", network, account), now)
        return opened is not None and opened.expires_at <= now + OPEN + MAX_SKEW

    def _separate(self, label: str, account: str, *, is_known: bool = False) -> Guess:
        # A digest: no address has this form, so no caller can count for another client.
        key = self.key("apart", label, account)
        return Guess(key=key, keys=(key,), account=account, is_known=is_known)


def note_right_password(event: Event) -> None:
    """Note that the password of the running call was right; that of another account is not a right one."""
    notes: dict[str, Any] = running.get() or {}
    guess: Guess | None = notes.get(GUESS)
    if guess is not None and event.outcome == "success":
        in_session = bool(guess.session_id) and event.session_id == guess.session_id
        if in_session or (guess.account and event.account == guess.account):
            notes[RIGHT] = True


def was_wrong(call: Call, ending: Ending) -> bool:
    """Tell whether a call was judged, and its password not found to be the right one of the named account."""
    return ending != "failed" and not call.notes.get(RIGHT)


def was_right(call: Call) -> bool:
    """Tell whether the password of a call was found to be the right one of the named account."""
    return bool(call.notes.get(RIGHT))


def is_guess(call: Call) -> bool:
    """Tell whether the call has a password; OAuth 2's token endpoint also takes refresh tokens, and empty fields."""
    values = call.values
    if call.endpoint.guesses != "password":
        return False
    if not call.endpoint.oauth2:
        # A fresh login may take the place of the password.
        optional = "password" in call.endpoint.fields and not call.endpoint.fields["password"].required
        return bool(values.get("password")) or not optional
    return values.get("grant_type") != "refresh_token" and bool(values.get("username") and values.get("password"))


def named_in(call: Call) -> str:
    """Return the canonical address in the body, known or not; empty when there is none.

    Text that is not an address is returned case-folded, so that it is counted too.
    """
    named = str(call.values.get("email") or call.values.get("username") or "")
    return (canonical_or_none(named) or named.casefold()) if named else ""
