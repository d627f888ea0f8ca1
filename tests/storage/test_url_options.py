"""Options in database URLs: translated, ignored with a reason, or a ValueError when the `Auth` is made."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Auth, RedisCounters
from asgi_auth.errors import StorageSetupError
from asgi_auth.storage import Names, from_url
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.postgres_driver import PostgresDriver
from asgi_auth.storage.postgres_url import parse
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.testing.records import NOW
from tests.postgres import Server
from tests.storage.conftest import Servers
from tests.support import SECRET, make_auth, register

URL = "postgresql://app:pw@db.example.com/app"


def files(folder: Path) -> list[str]:
    """The names of the files in a folder."""
    return [file.name for file in folder.iterdir()]


@pytest.mark.parametrize(
    "option",
    [
        "connect_timeout=10",
        "channel_binding=prefer",
        "channel_binding=disable",
        "keepalives=1",
        "keepalives_idle=30",
        "tcp_user_timeout=1000",
        "gssencmode=disable",
        "gssencmode=prefer",
        "load_balance_hosts=random",
        "sslsni=1",
        "client_encoding=utf8",
        "pool_timeout=10",
        "command_timeout=60",
        "channel_binding=require&sslrootcert=system",
        "channel_binding=require&sslmode=verify-full",
    ],
)
def test_an_option_without_a_counterpart_is_ignored_and_the_log_says_why(
    option: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "asgi_auth"):
        url = parse(f"{URL}?{option}")

    name = option.partition("=")[0]
    assert name not in url.dsn
    assert [record.message.partition(": ")[0] for record in caplog.records] == [
        f"the option {name} of the database URL is ignored"
    ]


@pytest.mark.parametrize(
    "query",
    [
        "channel_binding=require",
        "channel_binding=require&sslmode=require",
        "gssencmode=require",
        "require_auth=scram-sha-256",
        "requirepeer=postgres",
        "hostaddr=10.0.0.1",
        "sslsni=0",
        "sslcertmode=require",
        "client_encoding=latin1",
        "sslmode=verify",
        "target_session_attrs=writable",
        "sslnegotiation=fast",
        "pgbouncer=perhaps",
        "connection_limit=0",
        "connection_limit=many",
        "statement_cache_size=-1",
        "sslrootcert=/nowhere/root.crt",
        "sslcert=/nowhere/client.crt",
        "sslrootcert=system&sslmode=require",
        "ssl_mode=require",
        "SSLMODE=require",
        "colour=blue",
        "sslmode",
        "application_name=%zz",
        "application_name=%00",
        "port=abc",
        "port=5432,5433",
    ],
)
def test_an_option_that_cannot_be_kept_is_refused_when_the_auth_is_made(query: str) -> None:
    with pytest.raises(ValueError, match=r"URL|sslmode") as caught:
        Auth(f"{URL}?{query}", secret=SECRET)

    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:p@ss@h/d",
        "postgresql://app:p#ss@h/d",
        "postgresql://app:p/ss@h/d",
        "postgresql://app:p?ss@h/d",
        "postgresql://app:p[ss@h/d",
        "postgresql://app:p%ss@h/d",
        "postgresql://app:ss@h:port/d",
        "postgresql://app:ss@h:0/d",
        "postgresql://app:ss@h:65536/d",
        "postgresql://app:ss@one:1,two:2,three:x/d",
        "postgresql://app:ss@h/d\n",
        " postgresql://app:ss@h/d",
        "postgresql://app:ss@h/d%ff",
    ],
)
def test_an_address_that_is_not_encoded_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(ValueError, match="URL") as caught:
        from_url(url)

    assert "ss@" not in str(caught.value)


def test_the_connection_that_listens_has_the_options_of_its_own_url() -> None:
    driver: Any = Postgres(f"{URL}?pgbouncer=true", listen_dsn=f"{URL}?sslrootcert=system")._driver

    assert driver._listen_options["ssl"].check_hostname
    assert "ssl" not in driver._options


def test_options_of_poolers_and_other_drivers_are_translated() -> None:
    url = parse(f"{URL}?pgbouncer=true&connection_limit=3&schema=auth&ssl=true&application_name=a%2Bb+c")

    assert (url.connect, url.max_size, url.schema) == ({"statement_cache_size": 0}, 3, "auth")
    assert url.dsn == f"{URL}?sslmode=require&application_name=a%2Bb%2Bc"
    assert Postgres(f"{URL}?schema=auth").names.schema == "auth"
    assert Postgres(f"{URL}?schema=auth", names=Names(prefix="x_")).names == Names(prefix="x_", schema="auth")
    with pytest.raises(ValueError, match="different schemas"):
        Postgres(f"{URL}?schema=auth", names=Names(schema="other"))
    assert "pw" not in repr(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app@one:5432,two:5433,[::1]:5434/d?target_session_attrs=read-write",
        "postgresql://app@one,two/d?port=5432",
        "postgresql:///d?host=/var/run/postgresql&user=app",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/d",
        "postgresql://a%40b:%2F%3F%23@h/d%20e?options=-c%20search_path%3Dx&app.user=ada",
        "postgres://h",
    ],
)
def test_addresses_of_every_form_are_kept(url: str) -> None:
    assert parse(url).dsn.partition("?")[0] == url.partition("?")[0]


@pytest.fixture(params=["postgres15", "postgres18"])
def server(request: pytest.FixtureRequest, servers: Servers) -> Server:
    return servers.get(request.param)


async def test_urls_of_every_form_reach_a_server(server: Server) -> None:
    database = server.database()
    name = database.rpartition("/")[2]
    socket = str(server.base).replace("/", "%2F")
    urls = [
        f"{database}?sslmode=prefer&channel_binding=prefer&connect_timeout=10&gssencmode=disable",
        f"{database}?pgbouncer=true&connection_limit=1&schema=inside",
        f"{database}?options=-c%20statement_timeout%3D9000&application_name=the%20app&lock_timeout=3000",
        f"{database}?target_session_attrs=read-write&keepalives=1&keepalives_idle=30",
        f"postgresql://postgres:secret@{socket}:{server.port}/{name}",
        f"postgresql://postgres@/{name}?host={server.base}&port={server.port}&password=secret",
        f"postgresql://postgres:%73ecret@127.0.0.1:1,127.0.0.1:{server.port}/{name}",
    ]
    for number, url in enumerate(urls):
        async with make_auth(url) as auth:
            assert await register(auth, f"user{number}@example.com")


async def test_a_setting_that_the_server_does_not_know_is_named_at_start(server: Server) -> None:
    storage = from_url(f"{server.dsn()}?options=-c%20colour%3Dblue")

    with pytest.raises(StorageSetupError, match="colour"):
        await storage.migrate(NOW)
    await storage.close()


def test_what_the_url_says_is_what_the_driver_gets() -> None:
    storage = Postgres(f"{URL}?connection_limit=3&pgbouncer=1", listen_dsn=f"{URL}?connect_timeout=3")

    driver = storage._driver
    assert isinstance(driver, PostgresDriver)
    assert (driver._dsn, driver._listen_dsn, driver._max_size) == (URL, URL, 3)
    assert driver._options == {"statement_cache_size": 0, "timeout": 5.0}


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("timeout=30", {"timeout": 30.0}),
        ("timeout=0.5&readers=4", {"timeout": 0.5, "readers": 4}),
        ("reads_on_loop=false", {"reads_on_loop": False}),
        ("check_same_thread=false", {}),
        ("timeout=", {}),
        ("", {}),
    ],
)
async def test_an_option_of_a_sqlite_url_is_no_part_of_the_file(
    query: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []
    made = SQLite.__init__

    def init(self: SQLite, path: str, *, names: Names | None = None, **given: Any) -> None:
        seen.append(given)
        made(self, path, names=names, **given)

    monkeypatch.setattr(SQLite, "__init__", init)
    storage = from_url(f"sqlite:///{tmp_path}/auth.db?{query}")
    await storage.migrate(NOW)
    await storage.close()

    assert seen == [options]
    assert files(tmp_path) == ["auth.db"]


@pytest.mark.parametrize(
    "rest",
    [
        "/a.db?timeout=never",
        "/a.db?timeout=-1",
        "/a.db?timeout",
        "/a.db?readers=0",
        "/a.db?mode=ro",
        "/a.db?cache=shared",
        "/a.db?mode=memory&cache=shared",
        "/a.db?_journal_mode=WAL",
        "/a.db#part",
        "/a%2.db",
        "/a%00.db",
        "/a.db\n",
        "/file:a.db?mode=memory",
        "/file:a.db",
        "//tmp",
    ],
)
def test_other_options_of_a_sqlite_url_are_refused(rest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ValueError, match=r"URL|folder"):
        Auth(f"sqlite://{rest}", secret=SECRET)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("written", "name"), [("a%20b%3Fc%23.db", "a b?c#.db"), ("%C3%A4.db", "ä.db")])
async def test_the_path_of_a_sqlite_url_is_decoded(written: str, name: str, tmp_path: Path) -> None:
    storage = from_url(f"sqlite:///{tmp_path}/{written}")
    await storage.migrate(NOW)
    await storage.close()

    assert files(tmp_path) == [name]


@pytest.mark.parametrize("make", [lambda: RedisCounters("redis://h/0?colour=blue"), lambda: RedisCounters("http://h")])
def test_an_unknown_option_of_a_redis_url_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"Redis|redis"):
        make()


async def test_the_last_connection_that_closes_leaves_the_file_alone(tmp_path: Path) -> None:
    """Of connections that close at the same time, none would delete the write-ahead log, now and then."""
    for number in range(40):
        folder = tmp_path / str(number)
        folder.mkdir()
        storage = SQLite(folder / "auth.db", readers=4)
        await storage.migrate(NOW)
        await storage.close()

        assert files(folder) == ["auth.db"]
