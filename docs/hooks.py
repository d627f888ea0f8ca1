"""MkDocs hook: links to files outside `docs/` work on GitHub as they are, and on the site lead to the repository."""

# ruff: noqa: INP001 (MkDocs loads this file by its path)
import posixpath
import re
from typing import Any

LINK = re.compile(r"(\]\()((?:\.\./)+[^)#\s]+)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Replace each relative link that leaves `docs/` by the address of that file in the repository."""
    folder = posixpath.join("docs", posixpath.dirname(page.file.src_uri))

    def absolute(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, found[2]))
        inside = path.startswith("docs/")
        return found[0] if inside else f"{found[1]}{config['extra']['repository']}/blob/main/{path}"

    return LINK.sub(absolute, markdown)
