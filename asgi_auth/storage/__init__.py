"""Storage: the contract, and the drivers that keep it."""

from asgi_auth.storage.base import Storage
from asgi_auth.storage.names import Names

__all__ = ["Names", "Storage", "from_url"]


def from_url(url: str, names: Names | None = None) -> Storage:
    """Make the storage that a URL names: `sqlite:///path`, `sqlite://` (memory), `postgresql://…`.

    Raises ValueError for any other URL. Nothing is opened yet.
    """
    scheme, found, rest = url.partition("://")
    if scheme == "sqlite" and found:
        from asgi_auth.storage.sqlite import SQLite  # noqa: PLC0415 (a driver is loaded when it is used)

        if rest and not rest.startswith("/"):
            raise ValueError("a SQLite URL has three slashes before a relative path: sqlite:///auth.db")
        return SQLite(rest[1:] or ":memory:", names=names)
    if scheme in {"postgresql", "postgres"}:
        from asgi_auth.storage.postgres import Postgres  # noqa: PLC0415 (a driver is loaded when it is used)

        return Postgres(url, names=names)
    raise ValueError("the storage URL is sqlite:///path, sqlite:// or postgresql://user:password@host/database")
