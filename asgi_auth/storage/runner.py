"""Runs statements on a driver: fills in identifiers, joins transactions, and retries after conflicts."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from typing import Any, Literal, Protocol, Self, TypeVar

from asgi_auth.bounds.deadline import DEFAULT, deadline
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.storage import user_columns
from asgi_auth.storage.driver import ConflictError, Connection, Driver, RetryError
from asgi_auth.storage.many_rows import named, repeated
from asgi_auth.storage.names import ALL_COLUMNS, Names
from asgi_auth.storage.rows import NO_USER_NUMBER, Row, key_of
from asgi_auth.storage.statements import BY_KEY
from asgi_auth.storage.statements.schema import ROLLBACK_TO_SAVEPOINT, SAVEPOINT
from asgi_auth.validation.user_field import Field

T = TypeVar("T")
TRIES = 5
#: Kinds of PostgreSQL row locks; SQLite locks the whole file instead.
ROW_LOCKS = ("for_update", "for_no_key_update", "for_key_share")

#: What the dialects spell differently.
DIALECTS: dict[str, dict[str, str]] = {
    "sqlite": {
        "counted_key": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "bytewise": "",
        "find": "instr",
    },
    "postgresql": {
        "counted_key": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "bytewise": 'COLLATE "C"',
        "find": "strpos",
    },
}


class ReplicaReader(Protocol):
    """Reads from a copy of the database that may be a moment old."""

    def wrote(self, values: Mapping[str, Any]) -> None:
        """Note the values of a write."""

    async def read(self, statement: str, sql: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Return rows, or none if the database itself is to be asked."""


class Runner:
    """Base class of `SQLStorage`. A transaction gives a shallow copy whose `connection` is set."""

    def __init__(self, driver: Driver, names: Names | None = None) -> None:
        """Connect nowhere yet. `names` defaults to `Names()`."""
        self.names: Names = names or Names()
        self._driver = driver
        #: The seconds for a call, and for all calls of a request.
        self.timeout: float = getattr(driver, "timeout", DEFAULT)
        self._connection: Connection | None = None
        self.id_type: str = self.names.id_type or "TEXT"
        self.dialect: Literal["sqlite", "postgresql"] = driver.dialect
        locks = {name: name.upper().replace("_", " ") if self.dialect == "postgresql" else "" for name in ROW_LOCKS}
        own = user_columns.parts(self.names, self.dialect, ())
        #: The extra fields that have columns of their own.
        self.fields: tuple[Field, ...] = ()
        #: Those of them that the database fills where a new user has no value.
        self.filled_fields: tuple[str, ...] = ()
        #: Whether the users table has a column for the time of the last login.
        self.notes_logins: bool = not self.names.own_users_table
        self._parts = self.names.parts() | locks | DIALECTS[driver.dialect] | own | {"max_skew": str(MAX_SKEW)}
        self._sql: dict[str, str] = {}
        #: Answers some reads in place of the driver.
        self._replica: ReplicaReader | None = None

    def use_fields(self, fields: Sequence[Field]) -> None:
        """Keep extra fields in columns of the users table, from the next start on. Raises ValueError."""
        if fields and not self.names.own_users_table:
            raise ValueError("the column of a field needs a users table of the host (own_users_table=True)")
        used = [self.names.user_columns.get(name, name).lower() for name in ALL_COLUMNS]
        for field in fields:
            column = (field.column or "").lower()
            if column in used:
                raise ValueError(f"the field {field.name} has a column that another one has: {field.column}")
            used.append(column)
        self.fields = tuple(fields)

    def is_user_id(self, text: str) -> bool:
        """Tell whether a text has the shape of a user's id. Reads nothing."""
        if user_columns.is_assigned(self.id_type):
            return key_of(self.id_type, text) != NO_USER_NUMBER
        return self.names.is_user_id(text, self.id_type)

    def adapt(self, id_type: str, parts: dict[str, str]) -> None:
        """Use the types of a users table of the host in all statements."""
        self.id_type = id_type
        self._parts = self._parts | parts | {"id_type": id_type}
        self._sql = {}

    async def open(self) -> None:
        """Connect for the running event loop; a no-op if it is connected."""
        await self._driver.open()

    async def close(self) -> None:
        """Disconnect from the running event loop."""
        await self._driver.close()

    async def wait_for_change(self, seconds: float) -> None:
        """Return when another process may have committed a change, at the latest after `seconds`."""
        await self._driver.wait(self.names.channel, seconds)

    @property
    def users_table(self) -> str:
        """The users table as the catalog of the database finds it: quoted in PostgreSQL."""
        return self._parts["users"] if self.dialect == "postgresql" else self._parts["users"].strip('"')

    @property
    def connection(self) -> Connection:
        """The connection of the current transaction. Raises RuntimeError outside of one."""
        if self._connection is None:
            raise RuntimeError("this call needs a transaction")
        return self._connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Self]:
        """Hold a transaction. A transaction inside a transaction is the same one."""
        if self._connection is not None:
            yield self
            return
        try:
            async with self._driver.transaction() as connection:
                yield self._inside(connection)
        except RetryError as error:
            raise StorageUnavailableError from error

    async def announce(self) -> None:
        """Notify other processes of a change, in a transaction with its commit."""
        await self._driver.announce(self.names.channel, self._connection)

    def rendered(self, statement: str) -> str:
        """Return a statement with its identifiers filled in."""
        return self._sql.get(statement) or self._sql.setdefault(statement, statement.format_map(self._parts))

    async def run(self, statement: str, values: Mapping[str, Any], *, read: bool = False) -> Sequence[Row]:
        """Run one statement, in the current transaction if there is one. `read` says that it changes nothing."""
        if "user_id" in values and (key := key_of(self.id_type, values["user_id"])) != values["user_id"]:
            values = {**values, "user_id": key}
        sql = self.rendered(statement)
        if self._replica is not None:
            if not read or self._connection is not None:
                self._replica.wrote(values)
            # What a replica does not have may be new.
            elif rows := await self._replica.read(statement, sql, values):
                return rows
        if self._connection is not None:
            return await self._connection.fetch(sql, values)
        if read:
            return await self._driver.read(sql, values, by_key=statement in BY_KEY)
        return await self._retrying(lambda: self._driver.write(sql, values))

    async def run_many(self, statement: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row]:
        """Run an INSERT of one row for many rows at once, in the current transaction."""
        key = f"{len(rows)} times {statement}"
        if key not in self._sql:
            self._sql[key] = repeated(statement.format_map(self._parts), len(rows))
        if self.id_type != "TEXT":
            rows = [
                {**row, "user_id": key_of(self.id_type, row["user_id"])} if "user_id" in row else row for row in rows
            ]
        if self._replica is not None:
            for row in rows:
                self._replica.wrote(row)
        return await self.connection.fetch(self._sql[key], named(rows))

    async def run_unless_conflict(self, statement: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Run one statement; return no rows if a unique index or a foreign key rejects it.

        A transaction around it stays usable.
        """
        # In PostgreSQL a failed statement aborts the whole transaction, unless a savepoint precedes it.
        inside = self._connection is not None
        if inside:
            await self.run(SAVEPOINT, {})
        try:
            return await self.run(statement, values)
        except ConflictError:
            if inside:
                await self.run(ROLLBACK_TO_SAVEPOINT, {})
            return ()

    async def _atomically(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Run several statements in one transaction, and retry it after a conflict with another transaction."""

        async def attempt() -> T:
            if self._connection is not None:
                return await work(self)
            return await self._driver.atomically(lambda connection: work(self._inside(connection)))

        return await self._retrying(attempt)

    def _inside(self, connection: Connection) -> Self:
        inner = copy(self)
        inner._connection = connection  # noqa: SLF001 (a copy of self)
        return inner

    async def _retrying(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Attempt, and attempt again after a conflict, outside of transactions and in the time of one call."""
        began = time.monotonic()
        try:
            return await attempt()
        except RetryError as error:
            if self._connection is not None:
                raise StorageUnavailableError from error
            failure = error
        return await self._again(attempt, failure, self.timeout - (time.monotonic() - began))

    async def _again(self, attempt: Callable[[], Awaitable[T]], failure: RetryError, seconds: float) -> T:
        with deadline(seconds) as end:
            for number in range(1, TRIES):
                pause = random.uniform(0, 0.01 * 2**number)  # noqa: S311 (jitter is not a secret)
                if end.left() <= pause:
                    break
                await asyncio.sleep(pause)
                try:
                    return await attempt()
                except RetryError as error:
                    failure = error
        raise StorageUnavailableError from failure
