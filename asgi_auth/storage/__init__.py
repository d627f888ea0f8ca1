"""Storage: the contract, its implementation over SQL, and drivers for SQLite and PostgreSQL.

Public: `Storage`, `Names`, `from_url`, `SQLite` (`.sqlite`), `Postgres` (`.postgres`), `Databases` (`.databases`); and
for authors of drivers, `SQLStorage` (`.sql`) and everything in `.driver`.
"""

from asgi_auth.storage.base import Storage
from asgi_auth.storage.names import Names

__all__ = ["Names", "Storage", "from_url"]


def from_url(url: str, names: Names | None = None) -> Storage:
    """Return a storage for `sqlite:///path`, `sqlite://` (memory) or `postgresql://user:password@host/database`.

    Connects nowhere yet. Raises ValueError for any other URL, and for an option that is not known or cannot be kept.
    """
    scheme, separator, _ = url.partition("://")
    if scheme == "sqlite" and separator:
        from asgi_auth.storage.sqlite import SQLite  # noqa: PLC0415 (only the driver in use is imported)
        from asgi_auth.storage.sqlite_url import parse  # noqa: PLC0415 (the same)

        path, options = parse(url)
        return SQLite(path, names=names, **options)
    if scheme in {"postgresql", "postgres"}:
        from asgi_auth.storage.postgres import Postgres  # noqa: PLC0415 (only the driver in use is imported)

        return Postgres(url, names=names)
    plain, with_driver, _ = scheme.partition("+")
    more = f"; write {plain}:// in place of {scheme}://" if with_driver and plain in {"sqlite", "postgresql"} else ""
    raise ValueError(f"the storage URL is sqlite:///path, sqlite:// or postgresql://user:password@host/database{more}")
