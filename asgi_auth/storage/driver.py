"""The contract of a SQL driver: what `SQLStorage` calls, and the errors that a driver raises."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol, TypeVar

from asgi_auth.errors import StorageSetupError

T = TypeVar("T")


class ConflictError(Exception):
    """A unique index or a foreign key rejected a row."""


class ValueRefusedError(Exception):
    """A column refused a value, which its type does not hold or which a CHECK of the host forbids."""


class RetryError(Exception):
    """The database rolled back a transaction in favor of another one (deadlock, serialization failure)."""


class SchemaError(StorageSetupError, ValueError):
    """A table, column or index is missing or does not fit: no migration ran, or the host's users table is wrong."""


class PoolerError(StorageSetupError):
    """A pooler in transaction mode keeps no prepared statements, which the driver is configured to use; nothing ran."""


class Connection(Protocol):
    """Runs statements inside one transaction."""

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run a statement with `:name` values, and return its rows; each row maps column names to values."""


class Driver(Protocol):
    """Runs statements and transactions, and reports changes by other processes.

    A driver keeps the connections of each event loop apart. It raises ConflictError, RetryError, SchemaError and, if
    the database is unavailable or too slow, StorageUnavailableError: after `timeout` seconds at the latest, and by the
    deadline of the request.
    """

    @property
    def timeout(self) -> float:
        """The seconds for one call or transaction, including the wait for a connection or for other writes."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """The SQL dialect."""

    async def open(self) -> None:
        """Connect for the running event loop; a no-op if it is connected."""

    async def close(self) -> None:
        """Disconnect from the running event loop."""

    async def read(self, sql: str, values: Mapping[str, Any], *, by_key: bool = False) -> Sequence[Mapping[str, Any]]:
        """Run one query. `by_key` says that it reads one row by a unique index, and so returns in microseconds."""

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement in a transaction; it is committed and durable when this returns."""

    async def atomically(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run a short transaction, and return its result. `work` awaits nothing but statements of its connection."""

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Return a context manager for a transaction: committed when the block ends, rolled back when it raises."""

    async def lock_migrations(self, connection: Connection, key: str) -> None:
        """Wait until no other process holds a lock of the same key; hold it until the transaction ends."""

    async def announce(self, channel: str, connection: Connection | None) -> None:
        """Notify other processes of a change: when `connection` commits, or at once if it is None.

        A lost notification does no harm: other processes also poll.
        """

    async def wait(self, channel: str, seconds: float) -> None:
        """Return when another process may have committed a change, at the latest after `seconds`."""
