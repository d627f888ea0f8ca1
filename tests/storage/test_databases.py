"""What is peculiar to a `databases.Database` of the host's."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from databases import Database

from asgi_auth.storage.databases import Databases
from asgi_auth.testing.records import NOW, a_user, added

Fresh = Callable[[str], str]
BOTH = pytest.mark.parametrize("driver", ["databases-sqlite", "databases-postgres15"])


def database(url: str) -> Database:
    return Database(url, min_size=0) if url.startswith("postgres") else Database(url)


@BOTH
async def test_a_database_that_the_host_has_connected_stays_connected(driver: str, fresh: Fresh) -> None:
    async with database(fresh(driver)) as host:
        storage = Databases(host)
        await storage.open()
        await storage.migrate(NOW)

        await storage.close()

        assert host.is_connected
        assert await host.fetch_val("SELECT count(*) FROM auth_users") == 0


@BOTH
async def test_a_database_that_was_not_connected_is_disconnected_again(driver: str, fresh: Fresh) -> None:
    host = database(fresh(driver))
    storage = Databases(host)

    await storage.open()
    assert host.is_connected
    await storage.close()

    assert not host.is_connected


@BOTH
async def test_our_calls_neither_join_nor_disturb_a_transaction_of_the_hosts(driver: str, fresh: Fresh) -> None:
    async with database(fresh(driver)) as host:
        storage = Databases(host)
        await storage.open()
        await storage.migrate(NOW)
        await host.execute("CREATE TABLE notes (text TEXT)")

        async with host.transaction(force_rollback=True):
            assert await host.fetch_all("SELECT text FROM notes") == []
            await added(storage)
            if driver != "databases-sqlite":  # its snapshot is older than our commit
                await host.execute("INSERT INTO notes VALUES ('host')")

        assert await host.fetch_all("SELECT text FROM notes") == []
        assert await storage.user("user-1") == a_user()
        await storage.close()


@pytest.mark.parametrize("url", ["mysql://localhost/db", "postgresql+aiopg://localhost/db"])
def test_other_databases_are_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Database.SUPPORTED_BACKENDS, "mysql", "databases.backends.postgres:PostgresBackend")
    monkeypatch.setitem(Database.SUPPORTED_BACKENDS, "postgresql+aiopg", "databases.backends.postgres:PostgresBackend")

    with pytest.raises(ValueError, match="SQLite, or PostgreSQL with asyncpg"):
        Databases(Database(url))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&cache=shared"])
def test_memory_is_refused(url: str) -> None:
    database = Database(url)

    with pytest.raises(ValueError, match="give a file"):
        Databases(database)

    # With `cache` in the URL, Databases opens a connection in its constructor and never closes it.
    if kept := database._backend._pool._memref:
        kept.close()


def run(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_asyncpg_is_not_loaded_for_sqlite() -> None:
    script = "import sys; from databases import Database; from asgi_auth.storage.databases import Databases\n"
    script += "Databases(Database('sqlite:///x.db')); print('asyncpg' in sys.modules)"

    assert run(script) == "False\n"


@pytest.mark.parametrize(
    ("package", "module", "extra"),
    [("databases", "databases", "asgi-auth[databases]"), ("asyncpg", "postgres", "asgi-auth[postgres]")],
)
def test_a_missing_package_names_the_extra(package: str, module: str, extra: str) -> None:
    output = run(f"import sys; sys.modules['{package}'] = None; import asgi_auth.storage.{module}")

    assert extra in output
