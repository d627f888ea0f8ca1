"""Hosts as browsers group them: public suffixes, sites, and names that only one's own network knows."""

import functools
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

LOCAL = ("localhost", "local", "test", "internal", "home.arpa", "lan")


@functools.cache
def _suffixes() -> "PublicSuffixList":
    """The Public Suffix List; reading it takes a tenth of a second, so it is done when it is first asked."""
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 (loaded when it is used)

    return PublicSuffixList()


def is_public_suffix(host: str) -> bool:
    """Tell whether strangers share a domain, such as `com`, `co.uk` and `fly.dev`: no cookie can be for all of it."""
    return _suffixes().is_public(host)


def is_below(host: str, domain: str) -> bool:
    """Tell whether a cookie of a domain goes to a host (RFC 6265, section 5.1.3)."""
    return host == domain or host.endswith("." + domain)


def site_of(origin: str) -> tuple[str, str]:
    """The site of an origin: its scheme, and the domain that somebody has registered (HTML Standard, 7.1.1)."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    return parts.scheme, host if _address(host) else _suffixes().privatesuffix(host) or host


def is_private_host(host: str) -> bool:
    """Tell whether a host can only be one's own machine or network."""
    address = _address(host)
    if address is not None:
        return address.is_private
    return "." not in host or any(is_below(host, name) for name in LOCAL)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
