"""Hash partitions of the tables that grow and change most: sessions, counters and audit records. PostgreSQL only."""

from asgi_auth.storage.driver import Driver
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import partitions

#: The numbers of partitions that are possible.
FEWEST, MOST = 2, 1024


def statement(storage: Runner, number: int) -> str:
    """Return the statement that partitions the tables. Raises ValueError for another database or number."""
    if storage.dialect != "postgresql":
        raise ValueError("only PostgreSQL has partitions")
    if not FEWEST <= number <= MOST:
        raise ValueError(f"the number of partitions must be from {FEWEST} to {MOST}")
    return partitions.PARTITION.replace("<number>", str(number))


async def partition(storage: Runner, driver: Driver, number: int) -> list[str]:
    """Partition the tables in the transaction of `storage`; return the names of those that had no partitions."""
    text = statement(storage, number)
    await driver.lock_migrations(storage.connection, "asgi_auth")
    found = [row["name"] for row in await storage.run(partitions.NOT_PARTITIONED, {})]
    if found:
        await storage.run(text, {})
    return found
