"""Running statements: names filled in, alone or in a transaction, again when the database asks for it."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from typing import Any, Self, TypeVar

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import ConflictError, Connection, Driver, RetryError
from asgi_auth.storage.names import Names
from asgi_auth.storage.rows import Row
from asgi_auth.storage.statements import BACK_TO_SAVEPOINT, BY_KEY, SAVEPOINT

T = TypeVar("T")
TRIES = 5


class Runner:
    """Base of the storages over SQL; `connection` is set in the copy that a transaction gives."""

    def __init__(self, driver: Driver, names: Names | None = None) -> None:
        """Take a driver, and the names of the tables."""
        self.names: Names = names or Names()
        self._driver = driver
        self._connection: Connection | None = None
        postgres = driver.dialect == "postgresql"
        kinds = ("for_update", "for_no_key_update", "for_key_share")
        locks = {name: name.upper().replace("_", " ") if postgres else "" for name in kinds}
        self._parts = self.names.parts() | locks
        self._sql: dict[str, str] = {}

    async def open(self) -> None:
        """Connect."""
        await self._driver.open()

    async def close(self) -> None:
        """Disconnect."""
        await self._driver.close()

    async def wait_for_change(self, seconds: float) -> None:
        """Wait for other processes."""
        await self._driver.wait(self.names.channel, seconds)

    @property
    def connection(self) -> Connection:
        """The connection of the transaction that this storage stands in."""
        if self._connection is None:
            raise RuntimeError("this needs a transaction")
        return self._connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Self]:
        """Hold a transaction; one inside another is the same one."""
        if self._connection is not None:
            yield self
            return
        try:
            async with self._driver.transaction() as connection:
                yield self._inside(connection)
        except RetryError as error:
            raise StorageUnavailableError from error

    async def announce(self) -> None:
        """Tell the other processes: with the commit, when in a transaction."""
        await self._driver.announce(self.names.channel, self._connection)

    async def run(self, statement: str, values: Mapping[str, Any], *, read: bool = False) -> Sequence[Row]:
        """Run one statement, in the transaction when there is one."""
        sql = self._sql.get(statement) or self._sql.setdefault(statement, statement.format_map(self._parts))
        if self._connection is not None:
            return await self._connection.fetch(sql, values)
        if read:
            return await self._driver.read(sql, values, by_key=statement in BY_KEY)
        return await self._retrying(lambda: self._driver.write(sql, values))

    async def run_unless_refused(self, statement: str, values: Mapping[str, Any]) -> Sequence[Row]:
        """Run one statement; no rows when an index or a foreign key refuses it. A transaction around it goes on."""
        # In PostgreSQL a refused row spoils the whole transaction.
        inside = self._connection is not None
        if inside:
            await self.run(SAVEPOINT, {})
        try:
            return await self.run(statement, values)
        except ConflictError:
            if inside:
                await self.run(BACK_TO_SAVEPOINT, {})
            return ()

    async def _atomically(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Run several statements in one transaction, again when the database asks for it."""

        async def attempt() -> T:
            if self._connection is not None:
                return await work(self)
            return await self._driver.atomically(lambda connection: work(self._inside(connection)))

        return await self._retrying(attempt)

    def _inside(self, connection: Connection) -> Self:
        inner = copy(self)
        inner._connection = connection  # noqa: SLF001 (it is one of us)
        return inner

    async def _retrying(self, attempt: Callable[[], Awaitable[T]]) -> T:
        for number in range(1, TRIES + 1):
            try:
                return await attempt()
            except RetryError as error:
                if number == TRIES or self._connection is not None:
                    raise StorageUnavailableError from error
                await asyncio.sleep(random.uniform(0, 0.01 * 2**number))  # noqa: S311 (jitter, no secret)
        raise AssertionError
