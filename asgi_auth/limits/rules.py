"""The keys by which guesses and calls are counted, for `RateLimits`, `Lockout` and `Unlock`.

Guesses of an attacker must not lock the owner of an account out. So each guess is counted for the account, and this
count decides only when nothing tells the owner from an attacker: each session has a separate count, and so has each
network from which the account was opened, by a mailed link or with a new password.
"""

from collections.abc import Callable

from asgi_auth.feature.call import Call
from asgi_auth.limits.counter_keys import CounterKeys, network_of
from asgi_auth.limits.counters import Counters
from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.model.records import Client
from asgi_auth.validation.email_address import canonical_or_none

#: Seconds that an account stays open for a network.
OPEN = 86400
#: The note of a call that keeps the accounts it is counted for.
ACCOUNTS = "accounts"


class Limiter:
    """Counts for accounts, sessions and networks: `auth.limiter`."""

    def __init__(self, counters: Counters, keys: CounterKeys, now: Callable[[], float]) -> None:
        """Take the counters and their keys."""
        self.counters = counters
        self.key: Callable[..., str] = keys.key
        self._now = now

    def lockout_key(self, guesser: str) -> str:
        """Return the key under which wrong passwords are counted."""
        return self.key("lockout", guesser)

    async def accounts_of(self, call: Call) -> list[str]:
        """Return the accounts of a call, from the body or the caller; the count of the last one decides."""
        if ACCOUNTS not in call.notes:
            call.notes[ACCOUNTS] = await self._accounts_of(call)
        found: list[str] = call.notes[ACCOUNTS]
        return found

    async def open_account(self, account: str, client: Client) -> None:
        """Forget the wrong passwords of an account, and count the client's network separately from now on."""
        network, now = network_of(client.address), int(self._now())
        async with self.counters.transaction() as counters:
            await counters.clear_counter(self.lockout_key(account))
            if network:
                await counters.clear_counter(self.lockout_key(self._separate_key("network", network, account)))
                # Cleared first, because an existing counter would keep its expiry.
                opened = self.key("opened", network, account)
                await counters.clear_counter(opened)
                await counters.count(opened, now, OPEN)

    async def _accounts_of(self, call: Call) -> list[str]:
        named = named_in(call)
        account = named or ((await call.identity.load()).email_canonical if call.identity.is_authenticated else "")
        if not account:
            return []
        if not is_guess(call):
            return [account]
        # The count of the session decides for a logged-in caller, and that of an opened network for others.
        if not named:
            return [account, self._separate_key("session", call.identity.session_id, account)]
        network = network_of(call.client.address)
        if network and await self._is_open(network, account):
            return [account, self._separate_key("network", network, account)]
        return [account]

    async def _is_open(self, network: str, account: str) -> bool:
        """Tell whether the account was opened for a network, and not by a clock that was ahead."""
        now = int(self._now())
        opened = await self.counters.counter(self.key("opened", network, account), now)
        return opened is not None and opened.expires_at <= now + OPEN + MAX_SKEW

    def _separate_key(self, kind: str, value: str, account: str) -> str:
        # A digest: no address has this form, so no caller can count for another session.
        return self.key("apart", kind, value, account)


def is_guess(call: Call) -> bool:
    """Tell whether the call has a password; OAuth 2's token endpoint also takes refresh tokens."""
    return call.endpoint.takes_password and call.values.get("grant_type") != "refresh_token"


def named_in(call: Call) -> str:
    """Return the canonical address in the body, known or not; empty when there is none.

    Text that is not an address is returned case-folded, so that it is counted too.
    """
    named = str(call.values.get("email") or call.values.get("username") or "")
    return canonical_or_none(named) or named.casefold()
