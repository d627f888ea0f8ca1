"""Transactions that PostgreSQL gives up in favour of others: ours are tried again, the host's are refused."""

import asyncio
from collections.abc import Callable

import pytest

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW, a_session, a_user, added, at_once
from tests.storage.conftest import SERVERS, opened

Fresh = Callable[[str], str]
pytestmark = pytest.mark.parametrize("driver", SERVERS)
DEADLOCK_TIMEOUT = 0.1


async def crossing(storage: SQLStorage, pause: float) -> tuple[BaseException | None, object]:
    """Let a login and a transaction wait for each other; who waited first looks for a deadlock first."""
    user, credential = await added(storage)
    await at_once(lambda _: storage.user(user.id), 4)  # connects, which would take from the pause

    async def change() -> BaseException | None:
        try:
            async with storage.transaction() as inside:
                await inside.update_user(user.id, {"data": {"n": 1}}, NOW)
                logging_in.append(asyncio.create_task(storage.add_session(a_session(user), credential, 1)))
                await asyncio.sleep(pause)
                await inside.change_credential(credential, secret="second", now=NOW)
        except StorageUnavailableError as error:
            return error
        return None

    logging_in: list[asyncio.Task[list[str] | None]] = []
    refused = await change()
    return refused, await logging_in[0]


async def test_a_call_that_lost_a_deadlock_is_tried_again(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver)) as storage:
        refused, ended = await crossing(storage, DEADLOCK_TIMEOUT / 2)

        assert refused is None
        assert ended is None  # tried again, it found another secret
        assert await storage.user("user-1") == a_user(data={"n": 1})


async def test_a_transaction_that_lost_a_deadlock_is_refused(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver)) as storage:
        refused, ended = await crossing(storage, DEADLOCK_TIMEOUT * 3)

        assert isinstance(refused, StorageUnavailableError)
        assert ended == []
        assert await storage.user("user-1") == a_user(last_login=NOW)


async def test_in_a_stricter_isolation_calls_are_tried_again(driver: str, fresh: Fresh) -> None:
    strict = {"default_transaction_isolation": "serializable"}
    async with opened(driver, fresh(driver), server_settings=strict) as storage:
        user, credential = await added(storage)

        await at_once(lambda number: storage.add_session(a_session(user, number), credential, 9), 3)

        assert len(await storage.sessions(user.id, NOW, 0)) == 3


async def test_a_conflict_that_does_not_end_is_refused(driver: str, fresh: Fresh) -> None:
    async with opened(driver, fresh(driver)) as storage:
        await storage.run(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '40001'; END $$",
            {},
        )
        await storage.run("CREATE TRIGGER refuse BEFORE INSERT ON {users} EXECUTE FUNCTION refuse()", {})

        with pytest.raises(StorageUnavailableError):
            await storage.add_user(a_user())


def test_a_storage_takes_a_dsn_or_a_pool(driver: str) -> None:
    with pytest.raises(ValueError, match="either a dsn or a pool"):
        Postgres(pool=None, dsn=None)
    assert driver in SERVERS
