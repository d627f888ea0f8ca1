"""Every sentence of the contract about credentials, for every driver."""

from collections.abc import Callable

from asgi_auth.testing.contract.credentials import *  # noqa: F403 (its tests)
from asgi_auth.testing.records import NOW, added
from tests.storage.conftest import FILES_AND_SERVERS, connect


async def test_credentials_of_an_older_version_have_no_use(fresh: Callable[[str], str]) -> None:
    for driver in FILES_AND_SERVERS:
        storage = connect(driver, fresh(driver))
        await storage.migrate(NOW)
        user, _ = await added(storage)
        await storage.run("UPDATE {credentials} SET used_at = NULL WHERE user_id = :user_id", {"user_id": user.id})

        assert [each.used_at for each in await storage.credentials(user.id)] == [None]
        await storage.close()
