"""SQLite's errors as those of the storage contract."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import ConflictError, SchemaError

CONFLICT = (
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY,
)
AWAY = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PROTOCOL,
)
LACKING = re.compile(
    "no such (table|column)|has no column named|ON CONFLICT clause does not match|foreign key mismatch"
)


@contextmanager
def errors() -> Iterator[None]:
    """Turn SQLite's errors into the contract's."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None) or 0
        if code in CONFLICT:
            raise ConflictError from error
        if code & 0xFF in AWAY:
            raise StorageUnavailableError from error
        if code == sqlite3.SQLITE_ERROR and LACKING.search(str(error)):
            raise SchemaError(f"the tables are not what they should be: {error}") from error
        raise
