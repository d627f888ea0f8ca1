"""Whether a SQLite file is still the one at its path: what is written to a deleted file is lost, without any error."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.process.log import logger
from asgi_auth.storage.sqlite_connection import ThreadedConnection
from asgi_auth.storage.sqlite_fork import no_fork

Identity = tuple[int, int] | None
SCHEMA = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"


class DatabaseFile:
    """The identity of an open database file and of its write-ahead log: device and inode.

    SQLite goes on with a file that was deleted, replaced, or moved with its folder. So a COMMIT is acknowledged after a
    look at the path, which takes about two microseconds.
    """

    def __init__(self, path: str) -> None:
        """Take the path of a file that is open; a relative path belongs to the working directory of this moment."""
        self._path = str(Path(path).absolute())
        self._database = _identity(self._path)
        self._log: Identity = None
        self._forks = -1
        self.is_lost = False

    def check(self) -> None:
        """Raise StorageUnavailableError if another file, or none, is at the path; the log says so once."""
        was_lost, self.is_lost = self.is_lost, not (self._has_database() and self._has_log())
        if self.is_lost:
            if not was_lost:
                logger.error("%s was deleted, moved or replaced, and is not used until it is back", self._path)
            raise StorageUnavailableError from FileNotFoundError(self._path)

    async def prepare(self, writer: ThreadedConnection) -> None:
        """Prepare to open the file that is at the path now. Raises StorageUnavailableError if that is not safe.

        It is safe if the database is the same, and only its log is another one; and if it has the same tables, as a
        backup has. A path without a file is not safe: an empty database would be made there.
        """
        if self._has_database():
            # Commits of other processes may be in the old log only.
            await writer.fetch("PRAGMA wal_checkpoint(FULL)", {})
        elif [tuple(row) for row in await writer.fetch(SCHEMA, {})] != await writer.run(lambda _: self._schema()):
            raise StorageUnavailableError
        logger.warning(
            "%s was replaced, and is opened again; after a restore, run python -m asgi_auth end-everything",
            self._path,
        )

    def _has_database(self) -> bool:
        return self._database is not None and _identity(self._path) == self._database

    def _has_log(self) -> bool:
        with no_fork() as forks:
            log = _identity(self._path + "-wal")
            if self._log is None or self._forks != forks:
                # SQLite makes the log when it needs it, and keeps it while a connection is open. A fork closes all.
                self._log, self._forks = log, forks
            return log == self._log

    def _schema(self) -> list[tuple[str, ...]]:
        """Read the tables of the file that is at the path now; none if there is no database. Creates nothing."""
        try:
            raw = sqlite3.connect(f"file:{quote(self._path)}?mode=rw", uri=True)
        except sqlite3.Error:
            return []
        try:
            return [tuple(row) for row in raw.execute(SCHEMA)]
        except sqlite3.Error:
            return []
        finally:
            raw.close()


def _identity(path: str) -> Identity:
    try:
        found = os.stat(path)  # noqa: PTH116 (a Path costs more than the look)
    except OSError:
        return None
    return found.st_dev, found.st_ino
