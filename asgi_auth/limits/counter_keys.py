"""The keys of counters: digests, so that no address and no account can be read from the table."""

import functools
import hmac
import ipaddress

from asgi_auth.crypto.keys import KeyRing


class CounterKeys:
    """Makes the keys of counters; without the secret no key tells what it counts."""

    def __init__(self, keys: KeyRing) -> None:
        """Derive the key. The oldest secret: during a rolling change of secrets all processes have it."""
        self._secret = keys.derived("counter")[-1]

    def key(self, *parts: str) -> str:
        """Return the key for some parts, such as a purpose, a network and an account."""
        return hmac.digest(self._secret, "\0".join(parts).encode(), "sha256").hex()


@functools.lru_cache(4096)
def network_of(address: str) -> str:
    """Return the network that a limit counts: an IPv4 address, or a /64 of IPv6; empty for an unknown address.

    One customer of a provider has a whole /64.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(found) if found.version == 4 else str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
