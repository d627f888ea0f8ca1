"""Commits that hang behind pgbouncer, which tells its clients the id of no process of the server."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage import postgres_abandoned
from asgi_auth.storage.postgres import Postgres
from asgi_auth.testing.records import NOW
from tests.deploy.test_postgresql import database, migrate, pgbouncer, url
from tests.postgres import Server

__all__ = ["database"]
BACKENDS = "select count(*) from pg_stat_activity where usename = 'app_web'"
MOST = 2


@pytest.fixture
def hung(database: tuple[Server, str]) -> Iterator[None]:
    """Commits wait for a standby that does not exist."""
    server, _ = database
    yield
    wait_for(server, "")


def wait_for(server: Server, standby: str) -> None:
    server.sql(f"alter system set synchronous_standby_names = '{standby}'")
    server.sql("select pg_reload_conf()")


async def counts(storage: Postgres, key: str) -> bool:
    with suppress(StorageUnavailableError):
        await storage.count(key, NOW, 60)
        return True
    return False


@pytest.mark.usefixtures("hung")
async def test_they_keep_their_places_until_they_are_given_up(
    database: tuple[Server, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgres_abandoned, "ASK", 0.1)
    server, name = database
    await migrate(server, name)
    with pgbouncer(server, name, tmp_path, size=20) as port:
        storage = Postgres(url("app_web", "app", port, "&pgbouncer=true"), max_size=MOST, timeout=1.0)
        await storage.open()
        async with asyncio.timeout(20):
            while not await counts(storage, "before"):
                pass
        pool: Any = storage._driver._state_of_loop().pool  # type: ignore[attr-defined]
        await asyncio.to_thread(wait_for, server, "nobody")
        async with asyncio.timeout(30):
            while len(pool._abandoned) < MOST:
                await counts(storage, "hangs")
        for _ in range(5):
            assert not await counts(storage, "hangs")
            await asyncio.sleep(0.1)

        assert len(pool._abandoned) == MOST
        assert not caplog.records
        # One more asks the server.
        assert int(await asyncio.to_thread(server.sql, BACKENDS)) <= MOST + 1
        monkeypatch.setattr(postgres_abandoned, "GIVE_UP", 0.0)
        async with asyncio.timeout(20):
            while pool._abandoned:  # noqa: ASYNC110 (a task of the pool gives them up)
                await asyncio.sleep(0.05)
        assert "is given up" in caplog.text
        await asyncio.to_thread(wait_for, server, "")
        async with asyncio.timeout(20):
            while not await counts(storage, "after"):
                pass
        await storage.close()
