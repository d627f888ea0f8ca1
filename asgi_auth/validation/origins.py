"""Hosts and origins, brought to the form that browsers send (RFC 6454; URL Standard, 3.5 and 4.7).

Browsers write the origin of a page in one form only. An origin that is configured in another form would never match.
"""

import ipaddress
import re
from itertools import groupby
from urllib.parse import quote, urlsplit

PORTS = {"http": 80, "https": 443}
#: Schemes whose pages have no origin of their own, or that no page has.
NO_PAGES = frozenset({"about", "blob", "data", "file", "ftp", "javascript", "mailto", "null", "ws", "wss"})
SCRIPT_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([A-Za-z0-9._~-]+)(:[1-9][0-9]{0,4})?")
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?")
NETLOC = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::[0-9]*)?")
#: The longest host, in characters: it needs at least as many octets in ASCII (RFC 1035, section 2.3.4), and a dot.
MAX_HOST = 254
#: What browsers change or forbid in a URL: white space, control characters, and `\`, which they read as `/`.
AMBIGUOUS = re.compile(r"[\x00-\x20\x7f-\x9f\\\s]")
IPV4_LIKE = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)\.?")


def host_of(text: str) -> str:
    """Return a host as browsers write it: lower case, international names as `xn--`, addresses in the shortest form.

    Raises ValueError for a text that is no host.
    """
    if len(text) > MAX_HOST:
        # Before the conversion, whose time grows with the square of the length (CVE-2024-3651).
        raise ValueError("a host has at most 253 characters")
    if text.startswith("[") and text.endswith("]"):
        return f"[{_ipv6(text[1:-1])}]"
    host = text.lower() if text.isascii() else _ascii(text)
    if IPV4_LIKE.fullmatch(host):
        return str(ipaddress.IPv4Address(host))
    if not HOST.fullmatch(host):
        raise ValueError(f"{text!r} is not a host")
    return host


def origin_of(url: str) -> str:
    """Return the origin of an http or https URL: scheme, host, and a port that is not the default.

    Raises ValueError for a URL that has none, or that browsers would read differently.
    """
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.netloc or AMBIGUOUS.search(url):
        raise ValueError(f"{url!r} is not an http(s) URL of a host, such as 'https://app.example.com'")
    found = NETLOC.fullmatch(parts.netloc.rpartition("@")[2])
    if found is None or parts.port == 0:
        raise ValueError(f"{url!r} has no valid host and port")
    port = f":{parts.port}" if parts.port is not None and parts.port != PORTS[parts.scheme] else ""
    return f"{parts.scheme}://{host_of(found[1])}{port}"


def base_url_of(url: str) -> str:
    """Return a base URL: its origin and its path, encoded, without a slash at the end. Raises ValueError."""
    origin, path = origin_of(url), _plain_path(url)
    if any(part in {".", ".."} for part in path.split("/")) or "//" in path:
        raise ValueError(f"{url!r}: the path must have no empty segment, and no `.` or `..`")
    return origin + quote(path, safe="/%:@!$&'()*+,;=~-._").rstrip("/")


def listed_origin(text: str) -> str:
    """Return an origin from a list: of a website, or of an app or extension, such as `capacitor://localhost`.

    Raises ValueError for a text that is not exactly one origin.
    """
    script = SCRIPT_ORIGIN.fullmatch(text)
    if script is not None and script[1] not in PORTS:
        # The host of such a scheme is opaque: it keeps its spelling (URL Standard, 3.5).
        if script[1] in NO_PAGES:
            raise ValueError(f"{text!r} is not an origin: pages of {script[1]}: have none that can be trusted")
        return text
    origin, path = origin_of(text), _plain_path(text)
    if path:
        raise ValueError(f"{text!r} is not an origin; write {origin!r}")
    return origin


def is_loopback_name(origin: str) -> bool:
    """Tell whether the host of an origin is `localhost` or below it: it never leaves the machine (RFC 6761, 6.3)."""
    host = urlsplit(origin).hostname or ""
    return host == "localhost" or host.endswith(".localhost")


def _plain_path(url: str) -> str:
    """Return the path of a URL that has nothing else behind its host. Raises ValueError."""
    if any(mark in url for mark in "?#@*"):
        raise ValueError(f"{url!r} must be a URL without user, query, fragment and wildcard")
    return urlsplit(url).path


def _ascii(host: str) -> str:
    """Return an international name in ASCII (UTS #46, nontransitional, as browsers do)."""
    import idna  # noqa: PLC0415 (most hosts are ASCII)

    try:
        return idna.encode(host, uts46=True, std3_rules=False, transitional=False).decode().lower()
    except idna.IDNAError as error:
        raise ValueError(f"{host!r} is not a host: {error}") from None


def _ipv6(text: str) -> str:
    """Return an IPv6 address as browsers write it: the longest run of zeros shortened, and never a dotted part."""
    if "%" in text:
        raise ValueError(f"{text!r}: browsers accept no zone in an address")
    number = int(ipaddress.IPv6Address(text))
    pieces = [f"{number >> shift & 0xFFFF:x}" for shift in range(112, -16, -16)]
    runs, at = [(1, 0)], 0
    for piece, group in groupby(pieces):
        size = len(list(group))
        if piece == "0":
            runs.append((size, -at))
        at += size
    size, start = max(runs)
    if size == 1:
        return ":".join(pieces)
    return f"{':'.join(pieces[:-start])}::{':'.join(pieces[-start + size :])}"
