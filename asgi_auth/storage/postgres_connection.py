"""One asyncpg connection: statements with named values, transactions, and errors as the contract has them."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeAlias

import asyncpg

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import ConflictError, RetryError, SchemaError

Held: TypeAlias = "asyncpg.Connection[Any] | asyncpg.pool.PoolConnectionProxy[Any]"
AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, asyncpg.InvalidCachedStatementError)
LACKING = (
    asyncpg.UndefinedColumnError,
    asyncpg.UndefinedTableError,
    asyncpg.InvalidColumnReferenceError,
    asyncpg.InvalidForeignKeyError,
    asyncpg.DatatypeMismatchError,
)
AWAY = (
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
    """A connection inside a transaction."""

    def __init__(self, connection: Held) -> None:
        self._connection = connection

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run a statement and return its rows."""
        return await fetch(self._connection, sql, values)


@cache
def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """Turn `:name` into `$1`; return the names in their order."""
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${names.setdefault(match[1], len(names) + 1)}"

    return re.sub(r"(?<!:):([a-z_][a-z_0-9]*)", number, sql), tuple(names)


async def fetch(connection: Held, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Run a statement with `:name` values and return its rows."""
    text, names = numbered(sql)
    with errors():
        rows: Sequence[Mapping[str, Any]] = await connection.fetch(text, *(values[name] for name in names))
        return rows


async def execute(connection: Held, sql: str) -> str:
    """Run a command and return its status, as `COMMIT`."""
    with errors():
        return str(await connection.execute(sql))


async def commit(connection: Held) -> None:
    """Commit. PostgreSQL answers with a quiet rollback when a statement had failed: that must not pass for success."""
    if await execute(connection, "COMMIT") != "COMMIT":
        raise RuntimeError("a statement of this transaction had failed; nothing was committed")


async def roll_back(connection: Held) -> None:
    """Roll back, or give the connection up; bounded."""
    try:
        async with asyncio.timeout(1):
            await connection.execute("ROLLBACK")
    except (*AWAY, asyncpg.PostgresError, asyncpg.InterfaceError):
        give_up(connection)


def give_up(connection: Held) -> None:
    """Close the connection without a word. One that the server has closed is gone from its pool already."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


@contextmanager
def errors() -> Iterator[None]:
    """Turn PostgreSQL's errors into the contract's."""
    try:
        yield
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise ConflictError from error
    except AGAIN as error:
        raise RetryError from error
    except AWAY as error:
        raise StorageUnavailableError from error
    except LACKING as error:
        raise SchemaError(f"the tables are not what they should be: {error}") from error
    except asyncpg.InterfaceError as error:
        if isinstance(error, ValueError):
            raise
        raise StorageUnavailableError from error
