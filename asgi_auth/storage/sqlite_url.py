"""SQLite URLs, such as `sqlite:///auth.db?timeout=10`."""

from pathlib import Path
from typing import Any

from asgi_auth.storage.urls import boolean, check_text, decoded, log_ignored, options_of, seconds, whole

MEMORY = ":memory:"


def parse(url: str) -> tuple[str, dict[str, Any]]:
    """Return the path and the options of `SQLite`. Raises ValueError.

    A path may be percent-encoded: `%3F` is a question mark. No option ever becomes part of the name of a file.
    """
    check_text(url)
    address, _, query = url.partition("://")[2].partition("?")
    if address and not address.startswith("/"):
        raise ValueError("a SQLite URL has three slashes before a relative path: sqlite:///auth.db")
    if "#" in url:
        raise ValueError("a SQLite URL has no fragment; write %23 for a # in the name of the file")
    path = decoded(address[1:], "path") or MEMORY
    if path.startswith("file:"):
        raise ValueError("a SQLite URL takes a path, and no file: URI: sqlite:///auth.db")
    if path != MEMORY and Path(path).is_dir():
        raise ValueError(f"{path} is a folder; add the name of a file")
    options: dict[str, Any] = {}
    for name, text in options_of(query).items():
        match name:
            case "timeout":
                options[name] = seconds(name, text)
            case "readers":
                options[name] = whole(name, text, 1)
            case "reads_on_loop":
                options[name] = boolean(name, text)
            case "check_same_thread":
                log_ignored(name, "each connection has a thread of its own")
            case _:
                known = "timeout, readers and reads_on_loop"
                raise ValueError(f"{name!r} is no option of a SQLite URL; there are {known}")
    return path, options
