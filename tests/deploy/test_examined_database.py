"""What `check` tells of a PostgreSQL server: an unsafe setting, hosts that may be standbys, and a deaf LISTEN."""

import logging
from pathlib import Path

import pytest

from asgi_auth import Auth, Settings
from asgi_auth.command.main import main
from asgi_auth.storage.postgres import Postgres
from tests.deploy.test_postgresql import database, migrate, pgbouncer, url
from tests.postgres import Server
from tests.storage.conftest import Servers
from tests.support import SECRET

__all__ = ["database"]
SOUND = "No problems found.\n"


def auth_of(storage: Postgres) -> Auth:
    return Auth(storage, settings=Settings(secret=SECRET, auto_migrate=False), features=[])


async def reasons(storage: Postgres) -> list[str]:
    """What an `Auth` finds out about its storage, once it has started."""
    auth = auth_of(storage)
    async with auth:
        return [finding.reason for finding in auth.check() if finding.setting == "storage"]


@pytest.fixture
def empty(servers: Servers) -> tuple[Server, str]:
    """A server, and an empty database."""
    server = servers.get("postgres15")
    return server, server.database().rpartition("/")[2]


@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        ("h1,h2/app", True),
        ("h1:1,h2:2/app?target_session_attrs=any", True),
        ("h1,h2/app?target_session_attrs=prefer-standby", True),
        ("/app?host=h1,h2", True),
        ("h1,h2/app?target_session_attrs=read-write", False),
        ("h1,h2/app?target_session_attrs=primary", False),
        ("h1/app", False),
    ],
)
def test_several_hosts_without_target_session_attrs_are_found(hosts: str, *, found: bool) -> None:
    """Without a connection: the URL tells it."""
    by_dsn = auth_of(Postgres(f"postgresql://u:p%2C@{hosts}"))
    by_listen_dsn = auth_of(Postgres("postgresql://h/app", listen_dsn=f"postgresql://u@{hosts}"))

    for auth, name in ((by_dsn, "the database URL"), (by_listen_dsn, "listen_dsn")):
        reasons = [finding.reason for finding in auth.check() if finding.setting == "storage"]
        expected = f"{name} has several hosts, and may lead to a standby, which refuses every write"
        assert reasons == ([expected] if found else [])


async def test_synchronous_commit_that_is_off_is_found(
    empty: tuple[Server, str], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    server, name = empty
    dsn = server.dsn(name)
    storage = Postgres(dsn)
    await storage.migrate()
    await storage.close()
    assert await reasons(Postgres(dsn)) == []

    for value, unsafe in (("off", True), ("local", False), ("on", False)):
        server.sql(f"alter database {name} set synchronous_commit = {value}")
        with caplog.at_level(logging.WARNING):
            found = await reasons(Postgres(dsn))
        assert bool(found) is unsafe
        assert ("synchronous_commit is off" in caplog.text) is unsafe
        caplog.clear()
    assert "a crash of the database server loses logouts" not in capsys.readouterr().out


def test_the_command_examines_the_database(
    empty: tuple[Server, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, name = empty
    monkeypatch.setenv("AUTH_SECRET", SECRET)
    monkeypatch.setenv("AUTH_BASE_URL", "https://app.example.com")
    monkeypatch.setenv("AUTH_DATABASE_URL", server.dsn(name))
    assert main(["migrate"]) == 0
    assert main(["check"]) == 0
    server.sql(f"alter database {name} set synchronous_commit = off")

    assert main(["check"]) == 1
    assert "storage: synchronous_commit is off, so that a crash" in capsys.readouterr().out

    server.sql(f"alter database {name} set synchronous_commit = on")
    monkeypatch.setenv("AUTH_DATABASE_URL", server.dsn(name, 9))
    assert main(["check"]) == 0
    assert "asgi-auth: the database was not examined" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_a_pooler_is_found_where_listen_hears_nothing(
    mode: str, database: tuple[Server, str], tmp_path: Path
) -> None:
    server, name = database
    await migrate(server, name)
    with pgbouncer(server, name, tmp_path, mode, 8) as port:
        shared, direct = url("app_web", "app", port, "&pgbouncer=true"), url("app_web", name, server.port)
        deaf = "a pooler such as pgbouncer gives each transaction another connection"
        # It is known by its options alone, until it is examined.
        [unknown] = [found.reason for found in auth_of(Postgres(shared)).check() if found.setting == "storage"]
        assert unknown.startswith("the options are those for pgbouncer")

        found = await reasons(Postgres(shared))

        assert [reason.startswith(deaf) for reason in found] == ([True] if mode == "transaction" else [])
        assert await reasons(Postgres(shared, listen_dsn=direct)) == []
        # A pool of one connection cannot tell the modes apart.
        assert len(await reasons(Postgres(shared, max_size=1))) == 1
    assert await reasons(Postgres(direct)) == []
