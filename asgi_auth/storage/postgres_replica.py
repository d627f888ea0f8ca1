"""Reads from a replica of PostgreSQL that is proven to be no older than a bound; from the primary otherwise.

The proof needs no clock but that of the process. The primary tells the position of its log at some moment. A replica
that has replayed the log up to there shows everything that was committed before that moment.
"""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from asgi_auth.bounds.replica import caller, may_read_replica
from asgi_auth.errors import StorageSetupError, StorageUnavailableError
from asgi_auth.process.background import begin
from asgi_auth.process.log import logger
from asgi_auth.storage.driver import RetryError
from asgi_auth.storage.postgres_connection import AsyncpgConnection, WatchedConnection
from asgi_auth.storage.rows import Row
from asgi_auth.storage.statements import audit, credentials, sessions, tokens, users

#: What a replica may be asked. Logins, credentials, tokens, rotation and counters always ask the primary.
REPLICABLE = frozenset(
    {
        users.USER,
        users.USERS,
        users.NEWEST_USERS,
        users.USERS_BY_PREFIX,
        users.COUNT_USERS,
        users.COUNT_USERS_BY_PREFIX,
        sessions.SESSIONS,
        sessions.ACCESS,
        sessions.STORED_SESSIONS,
        credentials.STORED_CREDENTIALS,
        tokens.STORED_TOKENS,
        audit.AUDIT_RECORDS,
        audit.ALL_AUDIT_RECORDS,
        audit.STORED_AUDIT_RECORDS,
    }
)
TELL = "SELECT CAST(pg_current_wal_lsn() AS text) AS position"
HAS_REPLAYED = """
    SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= CAST(CAST(:position AS text) AS pg_lsn) AS has
"""
#: Seconds for a read from the replica; then the primary is asked.
SLOW = 0.5
#: Seconds for which a replica is left alone that was stale, or gave no answer.
STALE_PAUSE, FAILED_PAUSE = 0.1, 1.0
#: Seconds of trouble after which the log says that the primary is asked instead.
TO_COMPLAIN = 5.0
#: The number of users and sessions whose own writes are remembered; with more, all read from the primary for a while.
MOST_WRITERS = 10_000
FAILURES = (StorageUnavailableError, StorageSetupError, RetryError, RuntimeError)


class ReplicaDriver(Protocol):
    """The driver of the replica."""

    def reading(self) -> AbstractAsyncContextManager[WatchedConnection]:
        """Hold a connection for queries."""

    async def open(self) -> None:
        """Prepare the connections of the running event loop."""

    async def close(self) -> None:
        """Close the connections of the running event loop."""


class PrimaryDriver(Protocol):
    """The driver of the primary."""

    @property
    def timeout(self) -> float:
        """The seconds for one call."""

    async def read(self, sql: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Run a query."""


class _Told(NamedTuple):
    position: str
    at: float


class Replica:
    """Answers those reads of a call that may be a moment old, and that concern no write of the last seconds."""

    def __init__(self, driver: ReplicaDriver, primary: PrimaryDriver, max_staleness: float) -> None:
        """Take the drivers of both, and the seconds by which an answer may be old. Raises ValueError."""
        if max_staleness <= 0:
            raise ValueError("max_staleness must be more than 0")
        self._driver = driver
        self._primary = primary
        self._max_staleness = max_staleness
        self._told = _Told("", -math.inf)
        self._telling: asyncio.Task[None] | None = None
        #: For each connection the time up to which its server shows all commits.
        self._proven: WeakKeyDictionary[AsyncpgConnection, float] = WeakKeyDictionary()
        self._pause_until = 0.0
        self._failing_since = math.inf
        self._has_complained = False
        #: The ids of users and sessions, and until when their reads go to the primary.
        self._writers: dict[str, float] = {}
        self._all_until = 0.0

    async def open(self) -> None:
        """Prepare the connections of the running event loop."""
        await self._driver.open()

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        await self._driver.close()

    def wrote(self, values: Mapping[str, Any]) -> None:
        """Note the user of a write, and that of its call: they read from the primary until a replica has it."""
        now = time.monotonic()
        until = now + self._primary.timeout + self._max_staleness
        for key in (caller(), *(values.get(name) for name in ("user_id", "session_id", "id"))):
            if key:
                self._writers[str(key)] = until
        if len(self._writers) > MOST_WRITERS:
            self._writers = {key: end for key, end in self._writers.items() if end > now}
            if len(self._writers) > MOST_WRITERS // 2:
                self._all_until, self._writers = until, {}

    async def read(self, statement: str, sql: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Return the rows of a query, or none if the primary is to be asked. Raises no error of the replica."""
        if statement not in REPLICABLE or not may_read_replica() or self._concerns_writer(values):
            return ()
        now = time.monotonic()
        if now - self._told.at > self._max_staleness / 2:
            self._begin_to_tell()
        if now < self._pause_until or now - self._told.at > self._max_staleness:
            return ()
        try:
            async with self._driver.reading() as connection:
                if not await self._is_fresh(connection):
                    self._fail("is older than max_staleness", STALE_PAUSE)
                    return ()
                rows = await connection.fetch(sql, values)
        except FAILURES as error:
            self._fail(f"gives no answer ({type(error.__cause__ or error).__name__})", FAILED_PAUSE)
            return ()
        self._failing_since, self._has_complained = math.inf, False
        return rows

    def _concerns_writer(self, values: Mapping[str, Any]) -> bool:
        now = time.monotonic()
        keys = (caller(), str(values.get("user_id", "")), str(values.get("session_id", "")))
        return now < self._all_until or any(self._writers.get(key, 0.0) > now for key in keys if key)

    async def _is_fresh(self, connection: WatchedConnection) -> bool:
        """Return whether the server of a connection shows all that was committed `max_staleness` seconds ago."""
        told, proven = self._told, self._proven.get(connection.raw, -math.inf)
        if told.at > proven and time.monotonic() - proven > self._max_staleness / 2:
            [row] = await connection.fetch(HAS_REPLAYED, {"position": told.position})
            if row["has"]:
                proven = self._proven[connection.raw] = told.at
        return time.monotonic() - proven <= self._max_staleness

    def _begin_to_tell(self) -> None:
        loop = asyncio.get_running_loop()
        if self._telling is None or self._telling.done() or self._telling.get_loop() is not loop:
            self._telling = begin(self._tell(), "tell the position of the primary")

    async def _tell(self) -> None:
        """Ask the primary for the position of its log: what was committed before the question lies before it."""
        at = time.monotonic()
        try:
            [row] = await self._primary.read(TELL, {})
        except FAILURES:
            return
        self._told = _Told(row["position"], at)

    def _fail(self, reason: str, pause: float) -> None:
        now = time.monotonic()
        self._pause_until = now + pause
        self._failing_since = min(self._failing_since, now)
        if now - self._failing_since > TO_COMPLAIN and not self._has_complained:
            self._has_complained = True
            logger.warning("reads go to the primary: the replica of the database %s", reason)
