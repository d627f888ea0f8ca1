"""The address of a client: that of the peer, or the one that trusted proxies name.

Trusted proxies name clients in `X-Forwarded-For`, `Forwarded` (RFC 7239) or `X-Real-IP`. A proxy passes on the headers
that it does not set, so a client can forge the others. If two headers name different clients, none of them counts, and
the address is that of the proxy.
"""

import functools
import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from starlette.types import Scope

from asgi_auth.web.headers import headers

Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"
#: In `trusted_proxies`, and in a forwarded header: a peer that is connected by a unix socket.
UNIX = "unix"
#: The longest value of all headers of one name that is read, in characters.
MAX_FORWARDED = 8192
LOOPBACK = ("127.0.0.1", "::1")
WITH_PORT = re.compile(
    r"([0-9.]+)(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?|\[([0-9A-Fa-f:.%]+)\](?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?"
)
#: A parameter of `Forwarded`. The lengths are bounded, so that no text takes long.
PAIR = re.compile(
    r"""\s{0,8}([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64})=("(?:[^"\\]|\\.){0,256}"|[^\s;,"]{0,256})\s{0,8}([;,]|$)"""
)


class Proxies:
    """The proxies that `Settings.trusted_proxies` lists."""

    def __init__(self, listed: Sequence[str]) -> None:
        """Parse the networks."""
        self._networks: list[Network] = [ipaddress.ip_network(item) for item in listed if item != UNIX]
        self._trusts_unix = UNIX in listed
        self._trusts_own_machine = any(self.trusts(address) for address in LOOPBACK)

    def trusts(self, hop: str) -> bool:
        """Return whether an address, or `unix`, is that of a trusted proxy."""
        if hop == UNIX:
            return self._trusts_unix
        address = ipaddress.ip_address(hop)
        return any(address in network for network in self._networks)

    def trusts_peer(self, scope: Scope, peer: str) -> bool:
        """Return whether the peer of a request is a trusted proxy. A peer without an address has a unix socket.

        Processes of the same machine are trusted by their socket as by a loopback address, if the server reports one.
        """
        hop = parse_hop(peer)
        if hop is not None and hop != UNIX:
            return self.trusts(hop)
        server = scope.get("server")
        by_socket = server is None or server[1] is None
        return self._trusts_unix or (self._trusts_own_machine and by_socket and (hop == UNIX or peer[:1] in {"", "/"}))


@functools.lru_cache(16)
def proxies_of(listed: tuple[str, ...]) -> Proxies:
    """Return the proxies of a setting; cached."""
    return Proxies(listed)


def address_of(scope: Scope, trusted: Sequence[str]) -> str:
    """Return the address of the client; empty or no address if it is unknown."""
    peer = str((scope.get("client") or ("",))[0] or "")
    if not trusted:
        return peer
    proxies = proxies_of(tuple(trusted))
    start = parse_hop(peer)
    nearest = peer if start is None or start == UNIX else start
    if not proxies.trusts_peer(scope, peer):
        return nearest
    clients = {_client(hops, proxies, nearest) for hops in _chains(scope, proxies)}
    return clients.pop() if len(clients) == 1 else nearest


def is_of_socket(address: str) -> bool:
    """Return whether an address is what servers report for a unix socket: nothing, a path, or `unix:`.

    Test clients report a name, which is no address either.
    """
    return address[:1] in {"", "/"} or address.startswith(UNIX)


def parse_hop(text: str) -> str | None:
    """Return an address without its port, brackets and zone; `unix` for a unix socket, and None for other text."""
    text = text.strip().strip('"')
    if text.startswith("unix:") or text == UNIX:
        return UNIX
    found = WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address((found[1] or found[2]) if found else text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        # A socket that serves both families shows 10.0.0.1 as ::ffff:10.0.0.1.
        return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))
    return str(address)


def _client(hops: Iterable[str], proxies: Proxies, nearest: str) -> str:
    """Return the first hop, from the nearest one on, that is no trusted proxy; else the last one that is known."""
    for text in hops:
        hop = parse_hop(text)
        if hop is None:
            return nearest
        if not proxies.trusts(hop):
            return "" if hop == UNIX else hop
        nearest = nearest if hop == UNIX else hop
    return nearest


def _chains(scope: Scope, proxies: Proxies) -> list[list[str]]:
    """Return the hops of each header that the request has, the nearest first. Unreadable text is one unknown hop."""
    chains = list[list[str]]()
    # What the client has added to a long header is at its start.
    if values := headers(scope, b"x-forwarded-for"):
        chains.append(",".join(values)[-MAX_FORWARDED:].split(",")[::-1])
    if values := headers(scope, b"forwarded"):
        chains.append(_forwarded(",".join(values)))
    if values := headers(scope, b"x-real-ip"):
        hop = parse_hop(",".join(values)[:MAX_FORWARDED])
        # In a chain of proxies, the last one names the one before it.
        if not (chains and hop is not None and proxies.trusts(hop)):
            chains.append([hop or ""])
    return chains


def _forwarded(text: str) -> list[str]:
    """Return the `for` parameters of a Forwarded header; an element without one is an unknown hop."""
    if len(text) > MAX_FORWARDED:
        return [""]
    hops, named, at = list[str](), list[str](), 0
    while at < len(text):
        found = PAIR.match(text, at)
        if found is None:
            return [""]
        at = found.end()
        if found[1].lower() == "for":
            named.append(found[2])
        if found[3] != ";":
            hops.append(named[0] if len(named) == 1 else "")
            named = []
    return hops[::-1] or [""]
