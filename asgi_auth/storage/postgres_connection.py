"""Functions for an asyncpg connection: statements with named values, transactions, and errors of the contract."""

import asyncio
import re
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, TypeAlias

import asyncpg

from asgi_auth._begun import Begun
from asgi_auth.bounds.breaker import Asking, Breaker
from asgi_auth.errors import StorageSetupError, StorageUnavailableError
from asgi_auth.process.background import step
from asgi_auth.process.log import logger
from asgi_auth.storage.driver import ConflictError, PoolerError, RetryError, SchemaError, T, ValueRefusedError
from asgi_auth.storage.postgres_host_order import HostOrder
from asgi_auth.storage.postgres_hosts import connect_to_first
from asgi_auth.storage.postgres_refusals import REFUSED, refusal

AsyncpgConnection: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"
RETRY = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.InvalidCachedStatementError)
WRONG_SCHEMA = (
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedTableError,
    asyncpg.InvalidColumnReferenceError,
    asyncpg.InvalidForeignKeyError,
    asyncpg.DatatypeMismatchError,
    asyncpg.WrongObjectTypeError,
)
UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InternalClientError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresSystemError,
)


#: Errors of a connection that the server or the network has closed.
LOST = (
    ConnectionError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # asyncpg is confused by the last message of a server that shuts down.
    asyncpg.InternalClientError,
)
#: Seconds for a rollback after a failure; then the connection is closed.
ROLLBACK_TIME = 0.25
POOLER_ADVICE = (
    "a pooler such as pgbouncer in transaction mode keeps no prepared statements: pass statement_cache_size=0 "
    "(Postgres(dsn, statement_cache_size=0)) and a listen_dsn that leads to the server itself"
)


class WatchedConnection:
    """A connection whose answers are noted by a breaker; inside a transaction, the connection of the contract."""

    def __init__(self, raw: AsyncpgConnection, breaker: Breaker) -> None:
        self.raw = raw
        #: Whether a call was cut off before the server had answered.
        self.is_unanswered: bool = False
        #: A commit that was cut off, and that the server may still end.
        self.pending: asyncio.Task[Any] | None = None
        self._breaker = breaker

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run a statement with `:name` values and return its rows."""
        text, names = numbered(sql)
        with self._asking():
            rows: Sequence[Mapping[str, Any]] = await self.raw.fetch(text, *(values[name] for name in names))
            return rows

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run a statement that is a transaction of its own and return its rows."""
        text, names = numbered(sql)
        with self._asking():
            return await self._to_its_end(self.raw.fetch(text, *(values[name] for name in names)))

    async def execute(self, sql: str) -> str:
        """Run a command, and return its status, such as `COMMIT`."""
        with self._asking():
            return str(await self.raw.execute(sql))

    def _asking(self) -> "_Question":
        return _Question(self, self._breaker)

    async def commit(self) -> None:
        """Commit. Raises RuntimeError if a statement had failed: PostgreSQL then rolls back without an error."""
        with self._asking():
            status = await self._to_its_end(self.raw.execute("COMMIT"))
        if status != "COMMIT":
            raise RuntimeError("a statement of this transaction failed, so nothing was committed")

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Send a commit, and never cancel it: when the call is cancelled, the commit goes on in a task.

        If its wait for a standby is cancelled, PostgreSQL shows a change that a failover would lose.
        """
        begun = Begun(work)
        try:
            await begun.spared()
        except asyncio.CancelledError:
            if not begun.is_done:
                self.pending = step(begun.rest(), "commit")
            raise
        return await begun

    async def roll_back(self) -> None:
        """Roll back within a moment, or leave the connection to be closed; a commit that was sent is left alone."""
        if self.pending is not None and not self.pending.done():
            return
        try:
            async with asyncio.timeout(ROLLBACK_TIME):
                await self.raw.execute("ROLLBACK")
        except TimeoutError:
            self.is_unanswered = True
        except (*UNAVAILABLE, asyncpg.PostgresError, asyncpg.InterfaceError):
            terminate(self.raw)


class _Question(Asking):
    """The wait for one answer: the breaker and the connection learn how it ends. Errors are translated."""

    __slots__ = ("_connection",)

    def __init__(self, connection: WatchedConnection, breaker: Breaker) -> None:
        super().__init__(breaker)
        self._connection = connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        super().__exit__(kind, error, trace)
        if isinstance(error, asyncio.CancelledError):
            self._connection.is_unanswered = True
        elif error is not None:
            translate(error)


async def connect(
    breaker: Breaker, dsn: str | None, options: Mapping[str, Any], order: HostOrder | None = None
) -> AsyncpgConnection:
    """Open a connection. Raises asyncpg's errors, and StorageSetupError for those that a change of the URL mends."""
    connection: AsyncpgConnection
    try:
        with breaker.asking():
            connection = await connect_to_first(dsn, options, order)
    except (asyncpg.PostgresError, ValueError) as error:
        if isinstance(error, (*REFUSED, *UNAVAILABLE)):
            raise
        # Such as a setting in the URL that the server does not know.
        raise StorageSetupError(f"{error}: correct the database URL") from error
    return connection


async def is_alive(breaker: Breaker, connection: AsyncpgConnection) -> bool:
    """Ask an idle connection whether it still works."""
    try:
        await WatchedConnection(connection, breaker).execute("SELECT 1")
    except StorageUnavailableError:
        return False
    return True


@cache
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """Replace `:name` by `$1` and so on; return the text, and the names in order."""
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${names.setdefault(match[1], len(names) + 1)}"

    return re.sub(r"(?<!:):([a-z_][a-z_0-9]*)", number, sql), tuple(names)


def is_lost(error: BaseException) -> bool:
    """Return whether the connection of a call was closed, as that of a server that has restarted meanwhile."""
    cause = error.__cause__ if isinstance(error, StorageUnavailableError) else None
    return isinstance(cause, LOST) or (isinstance(cause, asyncpg.InterfaceError) and "closed" in str(cause))


def is_read_only(error: BaseException) -> bool:
    """Return whether the server takes no writes: it may have become a standby while it was connected."""
    return isinstance(error.__cause__, asyncpg.ReadOnlySQLTransactionError)


def terminate(connection: AsyncpgConnection) -> None:
    """Close the connection without waiting for the server. A connection that the pool has dropped is left alone."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


class _Errors:
    """Translates asyncpg's errors in a block into those of the contract."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None:
            translate(error)


errors = _Errors()


def translate(error: BaseException) -> None:
    """Raise the error of the contract for one of asyncpg, and return for any other. Takes values out of all."""
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError):
        hide_values(error)
    if isinstance(error, asyncpg.UniqueViolationError | asyncpg.ForeignKeyViolationError):
        raise ConflictError from error
    if isinstance(error, asyncpg.DataError | asyncpg.CheckViolationError):
        raise ValueRefusedError from error
    if isinstance(error, RETRY):
        raise RetryError from error
    if isinstance(error, asyncpg.InvalidSQLStatementNameError | asyncpg.DuplicatePreparedStatementError):
        _log_pooler()
        raise PoolerError(POOLER_ADVICE) from error
    if isinstance(error, (*REFUSED, *UNAVAILABLE)):
        reason = refusal(error)
        raise (StorageSetupError(reason) if reason else StorageUnavailableError()) from error
    if isinstance(error, WRONG_SCHEMA):
        raise SchemaError(f"the tables do not have the expected columns: {error}") from error
    if isinstance(error, asyncpg.InterfaceError) and not isinstance(error, ValueError):
        raise StorageUnavailableError from error


def hide_values(error: asyncpg.PostgresError | asyncpg.InterfaceError) -> None:
    """Take the values of rows and arguments out of an error, which the log may show (ASVS 16.2.5)."""
    # A detail may be "Failing row contains (…)". That of a key, "Key (…)=(…) already exists.", keeps its columns.
    columns, is_key, _ = str(error.detail or "").partition(")=(")
    error.detail = columns if is_key and isinstance(error, asyncpg.UniqueViolationError) else None
    text = str(error.args[0]) if error.args else ""
    if isinstance(error, asyncpg.DataError):
        error.args = (text.partition(': "')[0],)
    elif "query argument" in text:
        error.args = (text.partition(": ")[0],)


@cache
def _log_pooler() -> None:
    """Log the advice once: every statement behind the pooler may fail."""
    logger.error("%s", POOLER_ADVICE)
