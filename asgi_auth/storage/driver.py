"""What a SQL driver must offer, and the errors it may raise; `SQLStorage` does the rest."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol, TypeVar

T = TypeVar("T")


class ConflictError(Exception):
    """A unique index refused the row, or a foreign key: the row that it needs is gone."""


class RetryError(Exception):
    """The database gave up this transaction in favour of another (deadlock, serialization): try again."""


class SchemaError(ValueError):
    """The tables are not what they should be: not migrated yet, or a users table of the host's that lacks something."""


class Connection(Protocol):
    """Runs statements inside one transaction."""

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run a statement with `:name` values and return its rows, whose columns are found by name."""


class Driver(Protocol):
    """Opens, closes, runs one statement, holds a transaction, and hears of changes. One per event loop inside."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which SQL it speaks."""

    async def open(self) -> None:
        """Connect for the running loop; nothing when that is done."""

    async def close(self) -> None:
        """Disconnect from the running loop."""

    async def read(self, sql: str, values: Mapping[str, Any], *, by_key: bool = False) -> Sequence[Mapping[str, Any]]:
        """Run one statement that changes nothing; `by_key` it reads one row by an index."""

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Run one statement; it is committed, and durable, when this returns."""

    async def atomically(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run short work in a transaction: it awaits nothing but its statements, so that others needn't wait long."""

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Hold a transaction that may write; committed when the block ends, rolled back when it raises."""

    async def lock_migrations(self, connection: Connection, key: str) -> None:
        """Let no other process take the same key until the transaction ends."""

    async def announce(self, channel: str, connection: Connection | None) -> None:
        """Tell the other processes that something has changed, with the commit of `connection` if there is one.

        Losing it is no harm: they look for themselves now and then.
        """

    async def wait(self, channel: str, seconds: float) -> None:
        """Return when another process may have changed something, at the latest after `seconds`."""
