"""Storage: the contract, its implementation over SQL, and drivers for SQLite and PostgreSQL.

Public: `Storage`, `Names`, `from_url`, `SQLite` (`.sqlite`), `Postgres` (`.postgres`), `Databases` (`.databases`); and
for authors of drivers, `SQLStorage` (`.sql`) and everything in `.driver`.
"""

from asgi_auth.storage.base import Storage
from asgi_auth.storage.names import Names

__all__ = ["Names", "Storage", "from_url"]


def from_url(url: str, names: Names | None = None) -> Storage:
    """Return a storage for `sqlite:///path`, `sqlite://` (memory) or `postgresql://user:password@host/database`.

    Connects nowhere yet. Raises ValueError for any other URL.
    """
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator:
        from asgi_auth.storage.sqlite import SQLite  # noqa: PLC0415 (only the driver in use is imported)

        if rest and not rest.startswith("/"):
            raise ValueError("a SQLite URL has three slashes before a relative path: sqlite:///auth.db")
        return SQLite(rest[1:] or ":memory:", names=names)
    if scheme in {"postgresql", "postgres"}:
        from asgi_auth.storage.postgres import Postgres  # noqa: PLC0415 (only the driver in use is imported)

        return Postgres(url, names=names)
    raise ValueError("the storage URL is sqlite:///path, sqlite:// or postgresql://user:password@host/database")
