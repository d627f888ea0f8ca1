"""Targets of redirects: paths of this site, and URLs that a host has allowed."""

import re
from collections.abc import Collection
from urllib.parse import quote, unquote

#: A path of this site. Browsers treat a backslash as a slash, drop tabs and newlines, and treat `//` as another host.
LOCAL = re.compile(r"/(?!/)[^\\\s\x00-\x1f\x7f-\x9f]*")
#: The longest target, in characters: longer URLs do not work in every browser and server.
MAX_TARGET = 4096
SAFE = ":/%#?=@[]!$&'()*+,;~"


def is_local_path(path: str) -> bool:
    """Tell whether a text is a path of this site, both as written and decoded."""
    if len(path) > MAX_TARGET:
        return False
    decoded = unquote(re.split(r"[?#]", path, maxsplit=1)[0])
    leads_up = not {".", ".."}.isdisjoint(decoded.split("/"))
    return all(LOCAL.fullmatch(text) for text in (path, decoded)) and "//" not in decoded and not leads_up


def is_allowed(target: str, allowed: Collection[str]) -> bool:
    """Tell whether a redirect may lead to a target: a path of this site, or one of the allowed URLs."""
    return target in allowed or is_local_path(target)


def location(target: str) -> str:
    """Encode a target for a Location header."""
    return quote(target, safe=SAFE)
