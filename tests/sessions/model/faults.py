"""A SQL driver whose next write fails: before its commit, so that nothing happened, or after it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import Connection, Driver, T

Fault = Literal["", "lost commit", "lost answer", "claims"]


class FaultyDriver:
    """Passes everything on to a driver, and fails once where `fault` says."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.fault: Fault = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return await self.atomically(lambda connection: connection.fetch(sql, values))

    async def atomically(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        fault, self.fault = self.fault, ""

        async def failing(connection: Connection) -> T:
            result = await work(connection)
            if fault == "lost commit":
                raise StorageUnavailableError
            return result

        result = await self._driver.atomically(failing)
        if fault == "lost answer":
            raise StorageUnavailableError
        return result

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        fault, self.fault = self.fault, ""
        async with self._driver.transaction() as connection:
            yield connection
            if fault == "lost commit":
                raise StorageUnavailableError
        if fault == "lost answer":
            raise StorageUnavailableError
