"""A request is answered in time, whatever its steps wait for: one deadline from its arrival for all of them."""

import asyncio
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Argon2, AuthApp, AuthMiddleware, Lockout, Passwords, RateLimits
from asgi_auth.bounds.deadline import Deadline, current
from asgi_auth.errors import BusyError, StorageUnavailableError
from asgi_auth.features.sessions import Sessions
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.postgres_connection import WatchedConnection
from asgi_auth.storage.sqlite import SQLite
from tests.faultproxy import FaultProxy
from tests.storage.conftest import Servers
from tests.support import EMAIL, PASSWORD, Client, login, make_auth, register

Fresh = Callable[[str], str]
POSTGRES = "postgres18"


def limited(**passwords: Any) -> list[Any]:
    """The features of a login that count in the database, with limits that no test exceeds."""
    generous = RateLimits({"login": "9999/m/ip, 9999/m/account"})
    return [Passwords(argon2=Argon2.cheap(), **passwords), Sessions(), generous, Lockout(after=100)]


async def logins(client: Client, number: int) -> Counter[int]:
    """Log in so often at once; the statuses."""

    async def one() -> int:
        answer = await client.post("/login", {"email": EMAIL, "password": PASSWORD})
        if answer.status == 503:
            assert answer.header("retry-after")
        return answer.status

    return Counter(await asyncio.gather(*(one() for _ in range(number))))


class Steps(list[tuple[Deadline, float]]):
    """The deadline of each statement of a request on PostgreSQL, and the seconds that were left when it began."""

    #: The number of the statement during which the time of its request ends; 0 for none.
    end_after = 0


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Steps:
    """All statements of requests."""
    found = Steps()

    def noting(run: Callable[..., Any]) -> Callable[..., Any]:
        async def noted(self: WatchedConnection, sql: str, values: Mapping[str, Any]) -> Any:
            deadline = current()
            if deadline is not None:
                found.append((deadline, deadline.left()))
                # Those after an answer, with a deadline of their own, may still come from the request before.
                if not deadline.urgent and len([each for each, _ in found if not each.urgent]) == found.end_after:
                    deadline.until = 0
            return await run(self, sql, values)

        return noted

    for name in ("fetch", "write"):
        monkeypatch.setattr(WatchedConnection, name, noting(getattr(WatchedConnection, name)))
    return found


@pytest.mark.parametrize("number", [40, 100])
async def test_over_two_slow_connections_logins_succeed_and_the_others_are_refused_in_time(
    number: int, fresh: Fresh, servers: Servers, begun: Steps
) -> None:
    async with FaultProxy(servers.get(POSTGRES).port) as proxy:
        url = servers.get(POSTGRES).dsn(fresh(POSTGRES).rpartition("/")[2], proxy.port)
        async with make_auth(Postgres(url, timeout=60), features=limited()) as auth:
            await register(auth)
            proxy.delay = 0.1
            started = time.monotonic()
            await login(auth)
            # All at once over two connections would take 20 times as long, and in lockstep none would succeed.
            seconds = 8 * (time.monotonic() - started)
            proxy.delay = 0
        async with make_auth(Postgres(url, max_size=2, timeout=seconds), features=limited()) as auth:
            client = Client(AuthApp(auth))
            proxy.delay = 0.1

            statuses = await logins(client, number)

            assert statuses[200] >= 3
            assert statuses[503] >= 1
            assert statuses[200] + statuses[503] == number
            # No step begins for a request that is out of time.
            assert [left for _, left in begun if not left] == []
            proxy.delay = 0
            assert (await client.post("/login", {"email": EMAIL, "password": PASSWORD})).status == 200


async def test_calls_in_process_have_a_deadline_too(fresh: Fresh, begun: Steps) -> None:
    async with make_auth(Postgres(fresh(POSTGRES), timeout=60), features=limited()) as auth:
        await register(auth)
        begun.clear()
        pair = await login(auth)
        # One for all steps; those after the answer have one of their own.
        [deadline] = {deadline for deadline, _ in begun if not deadline.urgent}
        assert deadline.until <= time.monotonic() + 60

        begun.clear()
        begun.end_after = 2
        with pytest.raises(StorageUnavailableError):
            await login(auth)
        assert len([left for deadline, left in begun if not deadline.urgent]) == 2
        assert (await auth.refresh(pair.refresh_token or "")).access_token


async def test_a_locked_file_bounds_every_request(tmp_path: Path) -> None:
    async with make_auth(SQLite(tmp_path / "auth.db", timeout=0.6), features=limited()) as auth:
        await register(auth)
        client = Client(AuthApp(auth))
        other = sqlite3.connect(tmp_path / "auth.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        # Without a bound, they would wait for the lock for ever.
        assert await logins(client, 200) == {503: 200}
        other.execute("ROLLBACK")
        other.close()
        assert (await client.post("/login", {"email": EMAIL, "password": PASSWORD})).status == 200


async def test_a_hash_that_cannot_be_ready_in_time_is_refused() -> None:
    async with make_auth(SQLite(":memory:", timeout=0.3), features=limited(workers=1)) as auth:
        hasher = auth[Passwords].passwords.hasher
        gate = threading.Event()
        running = hasher._pool.submit(gate.wait, 60)

        with pytest.raises(BusyError):
            await auth[Passwords].register(email=EMAIL, password=PASSWORD)

        assert not running.done()
        gate.set()
        await asyncio.to_thread(running.result)
        await register(auth)


async def test_with_a_full_hash_queue_no_statement_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    async with make_auth(features=limited(workers=1, queue=0)) as auth:
        await register(auth)
        hasher = auth[Passwords].passwords.hasher
        hasher._pending = 1

        async def fail(*_: object, **__: object) -> None:
            raise AssertionError("a statement was run")

        with monkeypatch.context() as patch:
            patch.setattr(auth.storage._driver, "write", fail)  # type: ignore[attr-defined]
            patch.setattr(auth.storage._driver, "read", fail)  # type: ignore[attr-defined]
            for _ in range(3):
                with pytest.raises(BusyError):
                    await auth[Passwords].login(email=EMAIL, password=PASSWORD)

        hasher._pending = 0
        pair = await login(auth)
        hasher._pending = 1
        assert (await auth.refresh(pair.refresh_token or "")).access_token


async def test_hashes_that_have_become_slow_are_refused_before_they_wait() -> None:
    async with make_auth(SQLite(":memory:", timeout=1), features=limited(workers=2)) as auth:
        hasher = auth[Passwords].passwords.hasher
        hasher._seconds = 0.6
        assert not hasher.is_full
        hasher._pending = 2
        with pytest.raises(BusyError):
            await login(auth)

        # A free worker is tried, and shows that hashes are quick again.
        hasher._pending = 0
        await register(auth)
        assert hasher._seconds < 0.6


async def test_the_code_of_the_host_has_no_deadline() -> None:
    seen: list[object] = []

    async def host(_scope: Any, _receive: Any, send: Any) -> None:
        seen.append(current())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with make_auth() as auth:
        await register(auth)
        pair = await login(auth)
        client = Client(AuthMiddleware(host, auth, mount="/auth"))
        for _ in range(2):
            headers = {"authorization": f"Bearer {pair.access_token}"}
            assert (await client.get("/anything", headers=headers)).status == 204

    assert seen == [None, None]


async def test_background_work_has_no_deadline_of_a_request() -> None:
    seen: list[object] = []

    async def write() -> None:
        seen.append(current())

    async with make_auth() as auth:
        await register(auth)
        auth.mail.send_later(write)
        await auth.mail.idle()

    assert seen == [None]


async def test_the_time_in_which_a_client_sends_its_body_is_not_counted() -> None:
    async with make_auth(SQLite(":memory:", timeout=60), features=limited()) as auth:
        await register(auth)
        app, sent, before = AuthApp(auth), list[Any](), list[tuple[Deadline, float]]()
        body = f'{{"email": "{EMAIL}", "password": "{PASSWORD}"}}'.encode()

        async def receive() -> dict[str, Any]:
            deadline = current()
            assert deadline is not None
            before.append((deadline, deadline.until))
            await asyncio.sleep(0.05)
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"app.example.com"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/login", "root_path": "", "query_string": b""}
        await app({**scope, "scheme": "https", "headers": headers, "client": ("192.0.2.1", 1)}, receive, send)

        assert sent[0]["status"] == 200
        [(deadline, until)] = before
        assert deadline.until >= until + 0.05
