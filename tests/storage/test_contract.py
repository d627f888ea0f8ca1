"""Every sentence of `asgi_auth/storage/base.py`, for every driver: opening, transactions and users."""

from collections.abc import Callable

import pytest

from asgi_auth.errors import StorageSetupError
from asgi_auth.storage import Storage
from asgi_auth.testing.contract.opening import *  # noqa: F403 (its tests)
from asgi_auth.testing.records import MIGRATIONS, NOW, a_user
from tests.storage.conftest import connect

Fresh = Callable[[str], str]


async def test_a_transaction_reads_what_it_wrote_and_others_do_not(storage: Storage, driver: str) -> None:
    async with storage.transaction() as inside:
        await inside.add_user(a_user())

        assert await inside.user("user-1") == a_user()
        if driver != "memory":  # its one connection makes the others wait
            assert await storage.user("user-1") is None


async def test_a_database_without_tables_misses_all_migrations_and_answers_no_ping(driver: str, fresh: Fresh) -> None:
    empty = connect(driver, fresh(driver))
    for _ in range(2):
        assert await empty.missing_migrations() == MIGRATIONS
    with pytest.raises(StorageSetupError):
        await empty.ping()

    assert await empty.migrate(NOW) == MIGRATIONS
    await empty.ping()
    assert await empty.missing_migrations() == []
    await empty.close()
