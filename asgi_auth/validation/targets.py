"""Targets of redirects: paths of this site, and URLs that a host has allowed."""

import re
from collections.abc import Collection
from urllib.parse import quote, unquote

#: A path of this site. Browsers treat a backslash as a slash, drop tabs and newlines, and treat `//` as another host.
LOCAL = re.compile(r"/(?!/)[^\\\s\x00-\x1f\x7f-\x9f]*")
#: An absolute URL: its host with a port, and the rest. Names of users are no part of a host.
ABSOLUTE = re.compile(r"https?://([^/?#@\\\s]+)((?:[/?#].*)?)", re.IGNORECASE)
#: The longest target, in characters: longer URLs do not work in every browser and server.
MAX_TARGET = 4096
SAFE = ":/%#?=@[]!$&'()*+,;~"


def is_local_path(path: str) -> bool:
    """Tell whether a text is a path of this site, both as written and decoded."""
    if len(path) > MAX_TARGET:
        return False
    # An encoded space is part of a name: browsers neither decode nor drop it.
    decoded = unquote(re.split(r"[?#]", path, maxsplit=1)[0].replace("%20", "+"))
    leads_up = not {".", ".."}.isdisjoint(decoded.split("/"))
    return all(LOCAL.fullmatch(text) for text in (path, decoded)) and "//" not in decoded and not leads_up


def as_path(target: str, hosts: Collection[str]) -> str:
    """Return the path of an http(s) URL of this site, by its `hosts`; any other target unchanged."""
    found = ABSOLUTE.fullmatch(target[: 2 * MAX_TARGET])
    if found is None or found[1].lower() not in {host.lower() for host in hosts}:
        return target
    return found[2] if found[2].startswith("/") else f"/{found[2]}"


def is_allowed(target: str, allowed: Collection[str]) -> bool:
    """Tell whether a redirect may lead to a target: a path of this site, or one of the allowed URLs."""
    return target in allowed or is_local_path(target)


def location(target: str) -> str:
    """Encode a target for a Location header."""
    return quote(target, safe=SAFE)
