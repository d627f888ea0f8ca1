"""A SQL driver whose next write fails: before its commit, so that nothing happened, or after it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Literal

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import Connection, Driver, T

Fault = Literal["", "lost commit", "lost answer", "claims"]


#: The fault of the next write of the current call; the background work of a process has none.
ARMED: ContextVar[list[Fault]] = ContextVar("armed")


def take() -> Fault:
    """Return the fault of a write, once."""
    armed = ARMED.get([])
    return armed.pop() if armed else ""


class FaultyDriver:
    """Passes everything on to a driver, and fails once where a call is armed with a fault."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    async def write(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        return await self.atomically(lambda connection: connection.fetch(sql, values))

    async def atomically(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        fault = take()

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
        fault = take()
        async with self._driver.transaction() as connection:
            yield connection
            if fault == "lost commit":
                raise StorageUnavailableError
        if fault == "lost answer":
            raise StorageUnavailableError
