"""Starting and closing: by itself with the first request, by the lifespan of the server, or by a host's own."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from asgi_auth import Auth, AuthApp, AuthMiddleware
from asgi_auth.errors import StorageUnavailableError
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
