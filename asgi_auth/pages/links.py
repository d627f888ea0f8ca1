"""Targets of links: relative, so that they work below any mount."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode


class Links:
    """Relative references from the requested page."""

    def __init__(self, scope: Mapping[str, Any], path: str) -> None:
        """Take the request, and its path below the mount, without a slash at the end."""
        raw = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
        depth = path.count("/") - 1 + raw.endswith(b"/")
        self._up: str = "../" * depth or "./"
        if path == "/" and not raw.endswith(b"/"):
            # The mount itself, without a slash: links start from its parent.
            self._up = f"{raw.rpartition(b'/')[2].decode('latin-1')}/"

    @classmethod
    def below(cls, mount: str) -> "Links":
        """Return links from a page elsewhere on this site: paths below a mount."""
        made = cls({"path": "/"}, "/")
        made._up = f"{mount}/"
        return made

    def to(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return the reference to a path below the mount; empty values of the query are left out."""
        filled = {name: value for name, value in (query or {}).items() if value}
        return self._up + path[1:] + (f"?{urlencode(filled)}" if filled else "")
