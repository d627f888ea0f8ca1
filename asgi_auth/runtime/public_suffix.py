"""Classifies host names: public suffixes, sites as defined by browsers, and private hosts."""

import functools
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

#: Host names, and parents of host names, that are only resolved on a machine or a private network.
LOCAL = ("localhost", "local", "test", "internal", "home.arpa", "lan")


@functools.cache
def _suffixes() -> "PublicSuffixList":
    """Return the Public Suffix List. It is loaded on first use, because loading takes 0.1 seconds."""
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 (imported on first use)

    return PublicSuffixList()


def is_public_suffix(host: str) -> bool:
    """Return whether unrelated parties share a domain (`com`, `co.uk`, `fly.dev`): browsers reject cookies for it."""
    return _suffixes().is_public(host)


def is_below(host: str, domain: str) -> bool:
    """Return whether browsers send a cookie of `domain` to `host` (RFC 6265, section 5.1.3)."""
    return host == domain or host.endswith("." + domain)


def site_of(origin: str) -> tuple[str, str]:
    """Return the site of an origin: its scheme and its registrable domain (HTML Standard, 7.1.1)."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    return parts.scheme, host if _address(host) else _suffixes().privatesuffix(host) or host


def is_private_host(host: str) -> bool:
    """Return whether a host is on this machine or on a private network."""
    address = _address(host)
    if address is not None:
        return address.is_private
    return "." not in host or any(is_below(host, name) for name in LOCAL)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
