"""What limits are counted by, and how they refuse: shared by `RateLimits`, `Lockout` and `Unlock`.

Strangers who guess at an account must not keep its owner out. So a guess is counted for the account always, and judged
by that count only when nothing tells the guesser from a stranger: each session has a count of its own, and so has each
network from which the account was opened, by a mailed link or with a new password.
"""

import functools
import hmac
import ipaddress
from typing import TYPE_CHECKING

from asgi_auth.feature import Call
from asgi_auth.model.records import Client
from asgi_auth.validation.email_address import canonical_or_none

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

#: Seconds that an account stays open for a network.
OPEN = 86400
#: Under which the notes of a call keep what it is counted for.
ACCOUNTS = "accounts"


def is_guess(call: Call) -> bool:
    """Tell whether the call shows a password; OAuth 2's token endpoint also takes refresh tokens."""
    return call.endpoint.takes_password and call.values.get("grant_type") != "refresh_token"


def named_in(call: Call) -> str:
    """The canonical address in the body, known or not; empty when there is none.

    Text that can't be an address stands for itself, so that it is counted as well.
    """
    named = str(call.values.get("email") or call.values.get("username") or "")
    return canonical_or_none(named) or named.casefold()


async def accounts_of(auth: "Auth", call: Call) -> list[str]:
    """What a call is counted for: its account, named in the body or that of who is logged in; the last one decides."""
    if ACCOUNTS not in call.notes:
        call.notes[ACCOUNTS] = await _accounts_of(auth, call)
    found: list[str] = call.notes[ACCOUNTS]
    return found


async def _accounts_of(auth: "Auth", call: Call) -> list[str]:
    named = named_in(call)
    account = named or ((await call.identity.load()).email_canonical if call.identity.is_authenticated else "")
    if not account:
        return []
    if not is_guess(call):
        return [account]
    # Who is logged in is judged by the own session; else a guess may come from a network that was opened.
    if not named:
        return [account, _apart(auth, account, "session", call.identity.session_id)]
    network = network_of(call.client.address)
    if network and await auth.counters.counter(counter_key(auth, "opened", network, account), int(auth.now())):
        return [account, _apart(auth, account, "network", network)]
    return [account]


async def open_account(auth: "Auth", account: str, client: Client) -> None:
    """Forget the wrong passwords of an account, and count those from the client's network apart from now on."""
    network, now = network_of(client.address), int(auth.now())
    async with auth.counters.transaction() as counters:
        await counters.clear_counter(lockout_key(auth, account))
        if network:
            await counters.clear_counter(lockout_key(auth, _apart(auth, account, "network", network)))
            # Anew: a counter that is there keeps its end.
            opened = counter_key(auth, "opened", network, account)
            await counters.clear_counter(opened)
            await counters.count(opened, now, OPEN)


def _apart(auth: "Auth", account: str, kind: str, value: str) -> str:
    # A digest: nobody can write it as an address, and so count for somebody else's session.
    return counter_key(auth, "apart", kind, value, account)


@functools.lru_cache(4096)
def network_of(address: str) -> str:
    """The address that a limit counts: IPv6 by /64, as one customer has that many; empty when it is unknown."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(found) if found.version == 4 else str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


def counter_key(auth: "Auth", *parts: str) -> str:
    """The key of a counter: a digest that nobody without the secret can tell an address from."""
    # The oldest: during a rolling change of secrets all processes have it.
    secret = auth.keys.derived("counter")[-1]
    return hmac.digest(secret, "\0".join(parts).encode(), "sha256").hex()


def lockout_key(auth: "Auth", guesser: str) -> str:
    """The key under which wrong passwords are counted."""
    return counter_key(auth, "lockout", guesser)
