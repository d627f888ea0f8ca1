"""Two primaries: a process leaves the one that is cut off from its standby, where nothing commits."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage import postgres_host_order
from asgi_auth.storage.postgres_host_order import HostOrder
from asgi_auth.testing.records import NOW, a_user
from tests.postgres import Server
from tests.storage.test_hosts import opened, url


@pytest.fixture
def two() -> Iterator[tuple[Server, Server]]:
    """A primary and its standby."""
    primary = Server(15)
    standby = Server(15, primary)
    yield primary, standby
    standby.close()
    primary.close()


async def test_of_two_primaries_the_one_whose_commits_hang_is_left(two: tuple[Server, Server]) -> None:
    cut_off, standby = two
    both = url(cut_off.port, standby.port, attribute="read-write")
    async with opened(both, timeout=30.0) as storage:
        await storage.migrate(NOW)
    async with opened(both, timeout=4.0) as storage:
        assert await storage.add_user(a_user(1))
        await asyncio.to_thread(standby.promote)
        cut_off.sql("alter system set synchronous_standby_names = 'gone'")
        cut_off.sql("select pg_reload_conf()")
        await asyncio.sleep(0.5)
        with pytest.raises(StorageUnavailableError):
            await storage.add_user(a_user(2))

        assert await storage.add_user(a_user(2))
        assert await storage.add_user(a_user(3))
    assert standby.sql("select count(*) from auth_users") == "3"


def test_a_host_that_gave_no_answer_is_the_last_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    class Connection:
        """Can be referenced weakly, as those of asyncpg can."""

    order, connection = HostOrder(), Connection()
    hosts = [("a", 1), ("b", 1), ("c", 1)]
    order.connected(connection, ("a", 1))
    order.avoid(Connection())
    assert order.sort(hosts) == hosts

    order.avoid(connection)
    assert order.sort(hosts) == [("b", 1), ("c", 1), ("a", 1)]
    later = time.monotonic() + postgres_host_order.AVOIDED + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert order.sort(hosts) == hosts
