"""Tables of other systems in SQLite or PostgreSQL: they are only read, page by page in the order of a key."""

import asyncio
import re
import sqlite3
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from asgi_auth.errors import StorageSetupError
from asgi_auth.storage.urls import check_text

#: A name of a table or a column, and of a table with its schema.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
TABLE = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}")
PAGE = 'SELECT u.*{more} FROM {table} AS u {join} {place} ORDER BY u."{key}" LIMIT {limit}'
AFTER = 'WHERE u."{key}" > $1'
COUNT = "SELECT COUNT(*) AS count FROM {table}"
MORE = ', j."{column}" AS "{column}"'
JOIN = """LEFT JOIN {table} AS j ON j."{user}" = u."{key}" AND j."{where}" = '{equals}'"""
URLS = "the URL of the other database is sqlite:///path or postgresql://user:password@host/database"


class Join(NamedTuple):
    """One column of another table: of the row whose `user` is the key, and whose column `where` has a text."""

    table: str
    user: str
    where: str
    equals: str
    column: str


class Source(Protocol):
    """A connection to a database of another system."""

    async def open(self) -> None:
        """Connect, for reading only."""

    async def close(self) -> None:
        """Disconnect."""

    async def fetch(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        """Run a query whose values are numbered from 1."""


class SQLiteSource:
    """A file of SQLite, opened for reading only."""

    def __init__(self, url: str) -> None:
        """Open nothing yet. Raises ValueError."""
        from asgi_auth.storage.sqlite_url import MEMORY, parse  # noqa: PLC0415 (only the driver in use is imported)

        path, _ = parse(url)
        if path == MEMORY:
            raise ValueError(URLS)
        self._path = Path(path)
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Open the file. Raises StorageSetupError if there is none."""
        try:
            self._connection = await asyncio.to_thread(self._opened)
        except sqlite3.Error as error:
            raise StorageSetupError(f"the other database cannot be opened: {error}") from None

    def _opened(self) -> sqlite3.Connection:
        # Used by one thread after the other.
        connection = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        return connection

    async def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()

    async def fetch(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        """Run a query in a thread."""
        connection = self._connection
        if connection is None:
            raise RuntimeError("the other database is not open")

        def run() -> list[dict[str, Any]]:
            with closing(connection.execute(re.sub(r"\$(\d)", r"?\1", sql), tuple(values))) as cursor:
                return [dict(row) for row in cursor.fetchall()]

        try:
            return await asyncio.to_thread(run)
        except sqlite3.Error as error:
            raise StorageSetupError(f"the other database cannot be read: {error}") from None


class PostgresSource:
    """A database of PostgreSQL, in a session whose transactions only read."""

    def __init__(self, url: str) -> None:
        """Connect nowhere yet. Raises ValueError."""
        from asgi_auth.storage.postgres_url import parse  # noqa: PLC0415 (only the driver in use is imported)

        self._url = parse(url)
        self._connection: Any = None

    async def open(self) -> None:
        """Connect. Raises ImportError without the extra `postgres`, and StorageSetupError."""
        try:
            import asyncpg  # noqa: PLC0415 (an extra)
        except ImportError as error:
            raise ImportError("PostgreSQL needs the extra: pip install 'asgi-auth[postgres]'") from error
        from asgi_auth.storage.postgres_hosts import connect_to_first  # noqa: PLC0415 (an extra)

        given = self._url.connect
        session = {**given.get("server_settings", {}), "default_transaction_read_only": "on"}
        try:
            self._connection = await connect_to_first(self._url.dsn, {**given, "server_settings": session})
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StorageSetupError(f"the other database cannot be opened: {error}") from None

    async def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            await self._connection.close()

    async def fetch(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        """Run a query."""
        import asyncpg  # noqa: PLC0415 (an extra)

        try:
            rows = await self._connection.fetch(sql, *values)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StorageSetupError(f"the other database cannot be read: {error}") from None
        return [{name: _plain(value) for name, value in row.items()} for row in rows]


class SourceTable:
    """A table of another system, with at most one column of a second table."""

    def __init__(self, url: str, table: str, key: str, join: Join | None = None) -> None:
        """Connect nowhere yet. `key` is a unique column that the rows are read in the order of. Raises ValueError."""
        check_text(url)
        if TABLE.fullmatch(table) is None or NAME.fullmatch(key) is None:
            raise ValueError("the table is not a name, or a schema and a name with a dot between them")
        scheme = url.partition("://")[0]
        sources: dict[str, Callable[[str], Source]] = {
            "sqlite": SQLiteSource,
            "postgresql": PostgresSource,
            "postgres": PostgresSource,
        }
        if scheme not in sources:
            raise ValueError(URLS)
        self.source: Source = sources[scheme](url)
        self._key = key
        #: The parts of the query. All names are of the library, or were checked.
        self._parts = {
            "table": _quoted(table),
            "key": key,
            "more": MORE.format(**join._asdict()) if join is not None else "",
            "join": JOIN.format(**{**join._asdict(), "table": _quoted(join.table), "key": key})
            if join is not None
            else "",
        }

    async def count(self) -> int:
        """Return the number of rows."""
        [row] = await self.source.fetch(COUNT.format(**self._parts), ())
        return int(row["count"])

    async def page(self, after: Any, limit: int) -> tuple[list[Mapping[str, Any]], Any]:
        """Return at most `limit` rows after a key (None for the first page), and the key of the last row."""
        place = "" if after is None else AFTER.format(key=self._key)
        sql = PAGE.format(**self._parts, place=place, limit=limit)
        rows = await self.source.fetch(sql, () if after is None else (after,))
        return [*rows], rows[-1][self._key] if rows else after


def _quoted(table: str) -> str:
    return ".".join(f'"{part}"' for part in table.split("."))


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) else value
