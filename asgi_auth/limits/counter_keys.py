"""The keys of counters: digests, so that no address and no account can be read from the table."""

import functools
import hmac
import ipaddress

from asgi_auth.crypto.keys import KeyRing

#: The prefix lengths of the IPv6 networks that limits count, in bits.
PREFIXES = (64, 56, 48)
#: The first 96 bits of 64:ff9b::/96 and ::ffff:0:0:0/96, and the first 48 of 64:ff9b:1::/48.
TRANSLATED = {0x64FF9B << 64, 0xFFFF << 16}
LOCAL_NAT64 = 0x64FF9B0001


class CounterKeys:
    """Makes the keys of counters; without the secret no key tells what it counts."""

    def __init__(self, keys: KeyRing) -> None:
        """Take the keys, which are derived at the first use."""
        self._keys = keys
        self._installation = ""
        self._key = b""

    def key(self, *parts: str) -> str:
        """Return the key for some parts, such as a purpose, a network and an account."""
        if not self._key or self._installation != self._keys.installation:
            # The oldest secret: during a rolling change of secrets all processes have it.
            self._key = self._keys.derived("counter")[-1]
            self._installation = self._keys.installation
        return hmac.digest(self._key, "\0".join(parts).encode(), "sha256").hex()


def network_of(address: str) -> str:
    """Return the smallest network of an address: an IPv4 address, or a /64 of IPv6; empty for an unknown address."""
    networks = networks_of(address)
    return networks[0] if networks else ""


@functools.lru_cache(4096)
def networks_of(address: str) -> tuple[str, ...]:
    """Return the networks that limits count: an IPv4 address, or a /64, a /56 and a /48 of IPv6; none if unknown.

    A customer of a provider has a /64, commonly a /56, and at most a /48 (RIPE-690).
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ()
    found = embedded_ipv4(found) or found
    if isinstance(found, ipaddress.IPv4Address):
        return (str(found),)
    number = int(found)
    return tuple(str(ipaddress.IPv6Network((number >> 128 - size << 128 - size, size))) for size in PREFIXES)


def embedded_ipv4(address: "ipaddress.IPv4Address | ipaddress.IPv6Address") -> ipaddress.IPv4Address | None:
    """Return the IPv4 address in an IPv6 address of a translator or a tunnel; None for all others.

    Those are mapped and translated addresses (RFC 4291, 6145), NAT64 (RFC 6052, 8215), 6to4 and Teredo.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return None
    number = int(address)
    last = ipaddress.IPv4Address(number & 0xFFFFFFFF)
    if number >> 32 in TRANSLATED or (number >> 80 == LOCAL_NAT64 and int(last)):
        return last
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
