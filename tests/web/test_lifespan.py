"""Starting and closing: by itself with the first request, by the lifespan of the server, or by a host's own."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from asgi_auth import Auth, AuthApp, AuthMiddleware
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage import Names
from asgi_auth.storage.sqlite import SQLite
from tests.support import EMAIL, PASSWORD, Client, CountingStorage, login, make_auth, register, who

ACCOUNT = {"email": EMAIL, "password": PASSWORD}


async def play(app: Any) -> list[str]:
    """Start and stop an app as a server does; the types of what it answers."""
    incoming: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    running = asyncio.ensure_future(app({"type": "lifespan", "state": {}}, incoming.get, sent.put))
    incoming.put_nowait({"type": "lifespan.startup"})
    types = [(await asyncio.wait_for(sent.get(), 5))["type"]]
    if types[0] != "lifespan.startup.failed":
        incoming.put_nowait({"type": "lifespan.shutdown"})
        types.append((await asyncio.wait_for(sent.get(), 5))["type"])
    await running
    return types


async def works(scope: Scope, receive: Receive, send: Send) -> None:
    """A host that takes the lifespan."""
    for kind in ("startup", "shutdown"):
        assert (await receive())["type"] == f"lifespan.{kind}"
        await send({"type": f"lifespan.{kind}.complete", "seen": scope["state"]})


async def raises(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ValueError("no lifespan here")


async def returns(_scope: Scope, _receive: Receive, _send: Send) -> None:
    pass


async def waits_then_raises(_scope: Scope, receive: Receive, _send: Send) -> None:
    await receive()
    raise ValueError("no lifespan here")


async def fails(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no luck"})


async def dies_at_the_end(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    raise ValueError("at the end")


COMPLETE = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("host", [works, raises, returns, waits_then_raises, dies_at_the_end])
async def test_the_middleware_starts_and_closes_around_any_host(host: Any) -> None:
    storage = CountingStorage()

    types = await play(AuthMiddleware(host, make_auth(storage)))

    assert types == COMPLETE
    assert storage.statements
    with pytest.raises(RuntimeError, match="not open"):
        await storage.user("x")


async def test_a_host_that_fails_to_start_fails_the_start() -> None:
    assert await play(AuthMiddleware(fails, make_auth())) == ["lifespan.startup.failed"]


async def test_the_app_alone_takes_the_lifespan() -> None:
    assert await play(AuthApp(make_auth())) == COMPLETE


async def test_a_database_that_is_away_keeps_no_server_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "later"
    auth = make_auth(f"sqlite:///{folder}/auth.db")

    assert await play(AuthApp(auth)) == COMPLETE
    assert "without its database" in caplog.text
    with pytest.raises(StorageUnavailableError):
        await auth.start()
    await asyncio.to_thread(folder.mkdir)
    answer = await Client(AuthApp(auth)).post("/register", ACCOUNT)
    await auth.close()

    assert answer.status == 201


async def test_the_first_requests_start_it_once_however_many_they_are(tmp_path: Path) -> None:
    storage = CountingStorage(str(tmp_path / "auth.db"))
    auth = make_auth(storage, max_revocation_lag=60)

    answers = await asyncio.gather(
        *(Client(AuthMiddleware(who, auth, mount="/auth")).get("/auth/me") for _ in range(9))
    )
    await asyncio.gather(*(Client(AuthApp(auth)).post("/login", ACCOUNT) for _ in range(9)))
    await auth.close()

    assert {answer.status for answer in answers} == {401}
    assert sum("CREATE TABLE IF NOT EXISTS" in statement for statement in storage.statements) == 1


async def test_a_host_s_own_lifespan_may_hold_it() -> None:
    auth = make_auth()

    async with auth.lifespan(None):
        await register(auth)
        assert (await login(auth)).access_token

    await auth.close()


def test_every_loop_starts_by_itself(tmp_path: Path) -> None:
    auth = make_auth(f"sqlite:///{tmp_path}/auth.db")

    async def one(email: str) -> str:
        user_id = await register(auth, email)
        await auth.close()
        return user_id

    ids = {asyncio.run(one(f"user{number}@example.com")) for number in range(3)}

    assert len(ids) == 3


async def test_it_can_be_opened_again_after_closing(tmp_path: Path) -> None:
    auth = make_auth(f"sqlite:///{tmp_path}/auth.db")

    for _ in range(2):
        async with auth:
            await auth.start()
    await register(auth)
    await auth.close()
    await auth.close()

    assert isinstance(auth, Auth)


class Host:
    """A host that counts its startups and shutdowns; `started` runs at its startup."""

    def __init__(self, started: Any = None) -> None:
        self.events: list[str] = []
        self._started = started

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        for kind in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{kind}"
            self.events.append(kind)
            if kind == "startup" and self._started is not None:
                self._started()
            await send({"type": f"lifespan.{kind}.complete"})


OWN = Names(users="people", own_users_table=True)
PEOPLE = """
    CREATE TABLE people (id TEXT PRIMARY KEY, email TEXT NOT NULL, email_canonical TEXT NOT NULL UNIQUE,
        email_verified BOOLEAN NOT NULL, status TEXT NOT NULL, roles TEXT NOT NULL, data TEXT NOT NULL,
        created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, access_changed_at BIGINT NOT NULL)
"""


async def test_a_start_that_fails_for_good_fails_the_server_s_and_the_host_s_lifespan_runs_once(tmp_path: Path) -> None:
    host = Host()
    app = AuthMiddleware(host, make_auth(SQLite(tmp_path / "auth.db", names=OWN)))

    assert await play(app) == ["lifespan.startup.failed"]
    assert host.events == ["startup", "shutdown"]


async def test_the_host_s_startup_may_make_what_is_missing(tmp_path: Path) -> None:
    def make_table() -> None:
        connection = sqlite3.connect(tmp_path / "auth.db")
        connection.execute(PEOPLE)
        connection.close()

    host = Host(make_table)
    app = AuthMiddleware(host, make_auth(SQLite(tmp_path / "auth.db", names=OWN)))

    assert await play(app) == COMPLETE
    assert host.events == ["startup", "shutdown"]


async def test_the_lifespan_of_a_host_of_its_own_starts_without_the_database(tmp_path: Path) -> None:
    auth = make_auth(f"sqlite:///{tmp_path}/later/auth.db")

    async with auth.lifespan():
        with pytest.raises(StorageUnavailableError):
            await auth.start()


async def test_a_bug_at_start_fails_the_server_s_start_and_requests_are_503(monkeypatch: pytest.MonkeyPatch) -> None:
    auth, host = make_auth(), Host()

    async def fails(*_: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(auth.revocation, "sync", fails)
    app = AuthMiddleware(host, auth, mount="/auth")

    assert await play(app) == ["lifespan.startup.failed"]
    assert host.events == ["startup", "shutdown"]
    assert (await Client(app).post("/auth/login", ACCOUNT)).status == 503
    await auth.close()


async def test_an_error_at_close_fails_the_shutdown_after_the_host_s(monkeypatch: pytest.MonkeyPatch) -> None:
    auth, host = make_auth(), Host()

    async def fails() -> None:
        raise RuntimeError("cannot stop")

    monkeypatch.setattr(auth.purger, "stop", fails)

    assert await play(AuthMiddleware(host, auth)) == ["lifespan.startup.complete", "lifespan.shutdown.failed"]
    assert host.events == ["startup", "shutdown"]


async def test_a_server_that_cancels_the_lifespan_cancels_the_host_s() -> None:
    stopped = asyncio.Event()

    async def waits(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        finally:
            stopped.set()

    auth, incoming, sent = make_auth(), asyncio.Queue[Message](), asyncio.Queue[Message]()
    incoming.put_nowait({"type": "lifespan.startup"})
    app = AuthMiddleware(waits, auth)
    running = asyncio.ensure_future(app({"type": "lifespan"}, incoming.get, sent.put))
    await asyncio.wait_for(sent.get(), 5)
    running.cancel()

    await asyncio.wait_for(stopped.wait(), 5)
    await auth.close()
