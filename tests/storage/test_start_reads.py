"""A start with tables that are up to date writes nothing: it works on a standby, and while another process writes."""

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.storage.sql import SQLStorage
from tests.postgres import Command, Server
from tests.storage.conftest import FILES_AND_SERVERS, Servers
from tests.storage.test_faults_sqlite import held
from tests.support import EMAIL, PASSWORD, Client, CountingStorage, bearer, login, make_auth, register, who

Fresh = Callable[[str], str]


class Standby(Server):
    """A hot standby of another server, which answers queries and nothing else."""

    def __init__(self, primary: Server) -> None:
        self._primary = primary
        super().__init__(primary.version)

    def _init(self) -> None:
        data = self.base / "data"
        command: Command = [self.bin / "pg_basebackup", "-D", data, "-R", "-c", "fast", "-d", self._primary.dsn()]
        subprocess.run(command, cwd=self.base, user=self.user, check=True, capture_output=True)


@asynccontextmanager
async def entered(url: str) -> AsyncIterator[tuple[Auth, str]]:
    """An `Auth` with one user who has logged in."""
    async with make_auth(url) as auth:
        await register(auth)
        yield auth, (await login(auth)).access_token


async def reads_and_refuses(auth: Auth, token: str) -> None:
    """Expect that a token is good, and that a login is refused as unavailable."""
    client = Client(AuthMiddleware(who, auth, mount="/auth"))
    seen = await client.get("/", headers=bearer(token))
    account = await client.get("/auth/me", headers=bearer(token))
    refused = await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD})
    await auth.close()

    assert seen.json["id"]
    assert account.json["email"] == EMAIL
    assert (refused.status, refused.json["code"]) == (503, "storage_unavailable")


@pytest.mark.parametrize("auto_migrate", [True, False])
async def test_a_worker_starts_on_a_database_that_only_reads(
    *, auto_migrate: bool, servers: Servers, fresh: Fresh
) -> None:
    url = fresh("postgres18")
    async with entered(url) as (_, token):
        pass
    database = url.rpartition("/")[2]
    servers.get("postgres18").sql(f"ALTER DATABASE {database} SET default_transaction_read_only = on")

    await reads_and_refuses(make_auth(url, auto_migrate=auto_migrate), token)


async def test_a_worker_starts_on_a_standby() -> None:
    primary = Server(15)
    try:
        url = primary.database()
        async with entered(url) as (_, token):
            pass
        standby = Standby(primary)
        try:
            await reads_and_refuses(make_auth(standby.dsn(url.rpartition("/")[2])), token)
        finally:
            standby.close()
    finally:
        primary.close()


async def test_a_worker_starts_while_another_process_writes_to_the_file(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    async with entered(url) as (_, token):
        pass

    with held(str(tmp_path / "auth.db"), 60):
        auth = make_auth(url)
        seen = await Client(AuthMiddleware(who, auth)).get("/", headers=bearer(token))
        await auth.close()

    assert seen.json["id"]


async def test_a_second_start_only_queries(tmp_path: Path) -> None:
    path = str(tmp_path / "auth.db")
    async with make_auth(CountingStorage(path)):
        pass
    again = CountingStorage(path)
    async with make_auth(again):
        pass

    assert again.statements
    assert {statement.split()[0] for statement in again.statements} == {"SELECT"}


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_second_migration_takes_no_lock(driver: str, fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    async with make_auth(fresh(driver)) as first, make_auth(fresh(driver)) as second:
        assert isinstance(first.storage, SQLStorage)
        assert isinstance(second.storage, SQLStorage)

        async def locks(*_: object) -> None:
            raise AssertionError("a lock is taken")

        monkeypatch.setattr(second.storage._driver, "lock_migrations", locks)
        assert await second.storage.migrate() == []
