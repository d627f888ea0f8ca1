"""Functions for an asyncpg connection: statements with named values, transactions, and errors of the contract."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeAlias

import asyncpg

from asgi_auth.errors import StorageSetupError, StorageUnavailableError
from asgi_auth.storage.driver import ConflictError, RetryError, SchemaError
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


class InTransaction:
    """A connection inside a transaction, as the driver contract has it."""

    def __init__(self, connection: AsyncpgConnection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run a statement and return its rows."""
        return await fetch(self._connection, sql, values)


@cache
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """Replace `:name` by `$1` and so on; return the text, and the names in order."""
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${names.setdefault(match[1], len(names) + 1)}"

    return re.sub(r"(?<!:):([a-z_][a-z_0-9]*)", number, sql), tuple(names)


async def fetch(connection: AsyncpgConnection, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Run a statement with `:name` values and return its rows."""
    text, names = numbered(sql)
    with errors():
        rows: Sequence[Mapping[str, Any]] = await connection.fetch(text, *(values[name] for name in names))
        return rows


async def execute(connection: AsyncpgConnection, sql: str) -> str:
    """Run a command, and return its status, such as `COMMIT`."""
    with errors():
        return str(await connection.execute(sql))


async def commit(connection: AsyncpgConnection) -> None:
    """Commit. Raises RuntimeError if a statement had failed: PostgreSQL then rolls back without an error."""
    if await execute(connection, "COMMIT") != "COMMIT":
        raise RuntimeError("a statement of this transaction failed, so nothing was committed")


async def roll_back(connection: AsyncpgConnection) -> None:
    """Roll back within a second, or close the connection."""
    try:
        async with asyncio.timeout(1):
            await connection.execute("ROLLBACK")
    except (*UNAVAILABLE, asyncpg.PostgresError, asyncpg.InterfaceError):
        terminate(connection)


def terminate(connection: AsyncpgConnection) -> None:
    """Close the connection without waiting for the server. A connection that the pool has dropped is left alone."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


@contextmanager
def errors() -> Iterator[None]:
    """Translate asyncpg's errors into those of the contract."""
    try:
        yield
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise ConflictError from error
    except RETRY as error:
        raise RetryError from error
    except (*REFUSED, *UNAVAILABLE) as error:
        reason = refusal(error)
        raise (StorageSetupError(reason) if reason else StorageUnavailableError()) from error
    except WRONG_SCHEMA as error:
        raise SchemaError(f"the tables do not have the expected columns: {error}") from error
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError):
            raise
        raise StorageUnavailableError from error
