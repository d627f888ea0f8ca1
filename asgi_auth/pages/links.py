"""Where links and redirects lead: relative, so that the mount doesn't matter; and `next=` only where it is safe."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode

#: A path of this site. Browsers read a backslash as a slash, drop tabs and newlines, and take `//` for another host.
LOCAL = re.compile(r"/(?!/)[^\\\s\x00-\x1f\x7f-\x9f]*")
SAFE = ":/%#?=@[]!$&'()*+,;~"


def is_local_path(path: str) -> bool:
    """Tell whether this is a path of this site, as it stands and decoded once more."""
    decoded = unquote(re.split(r"[?#]", path, maxsplit=1)[0])
    return all(LOCAL.fullmatch(text) for text in (path, decoded)) and "//" not in decoded


def is_allowed(target: str, allowed: Collection[str]) -> bool:
    """Tell whether a redirect may lead there: a path of this site, or exactly one of those that are allowed."""
    return target in allowed or is_local_path(target)


class Links:
    """Relative references from the page that a request asked for."""

    def __init__(self, scope: Mapping[str, Any], path: str) -> None:
        """Take the request, and its path below the mount, without a slash at the end."""
        raw = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
        depth = path.count("/") - 1 + raw.endswith(b"/")
        self._up = "../" * depth or "./"

    def to(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """The reference to a path of ours; what is empty in the query is left out."""
        filled = {name: value for name, value in (query or {}).items() if value}
        return self._up + path[1:] + (f"?{urlencode(filled)}" if filled else "")


def location(target: str) -> str:
    """Write a target as a Location header may hold it."""
    return quote(target, safe=SAFE)
