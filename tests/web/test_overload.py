"""A request is answered in time, whatever its steps wait for: one deadline from its arrival for all of them."""

import asyncio
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Argon2, AuthApp, AuthMiddleware, Lockout, Passwords, RateLimits
from asgi_auth.bounds.deadline import current
from asgi_auth.errors import BusyError, StorageUnavailableError
from asgi_auth.features.sessions import Sessions
from asgi_auth.storage.postgres import Postgres
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


async def logins(client: Client, number: int) -> tuple[Counter[int], float]:
    """Log in so often at once; the statuses, and the seconds of the slowest answer."""
    slowest = 0.0

    async def one() -> int:
        nonlocal slowest
        started = time.monotonic()
        answer = await client.post("/login", {"email": EMAIL, "password": PASSWORD})
        slowest = max(slowest, time.monotonic() - started)
        if answer.status == 503:
            assert answer.header("retry-after")
        return answer.status

    return Counter(await asyncio.gather(*(one() for _ in range(number)))), slowest


@pytest.mark.parametrize("number", [40, 100])
async def test_over_two_slow_connections_logins_succeed_and_the_others_are_refused_in_time(
    number: int, fresh: Fresh, servers: Servers
) -> None:
    async with FaultProxy(servers.get(POSTGRES).port) as proxy:
        url = servers.get(POSTGRES).dsn(fresh(POSTGRES).rpartition("/")[2], proxy.port)
        storage = Postgres(url, max_size=2, timeout=4)
        async with make_auth(storage, features=limited()) as auth:
            await register(auth)
            client = Client(AuthApp(auth))
            # A login has seven statements. In lockstep, all would take 14 seconds, and none would succeed.
            proxy.delay = 0.1

            statuses, slowest = await logins(client, number)

            assert statuses[200] >= 3
            assert statuses[200] + statuses[503] == number
            # The bound is 4 seconds. A busy machine is slow by itself, and without the bound it is 14 seconds.
            assert slowest < 8
            proxy.delay = 0
            assert (await client.post("/login", {"email": EMAIL, "password": PASSWORD})).status == 200


async def test_calls_in_process_have_a_deadline_too(fresh: Fresh, servers: Servers) -> None:
    async with FaultProxy(servers.get(POSTGRES).port) as proxy:
        url = servers.get(POSTGRES).dsn(fresh(POSTGRES).rpartition("/")[2], proxy.port)
        async with make_auth(Postgres(url, timeout=1), features=limited()) as auth:
            await register(auth)
            pair = await login(auth)
            # Each step takes 0.4 seconds: three of them would be in time alone.
            proxy.delay = 0.4
            started = time.monotonic()
            with pytest.raises(StorageUnavailableError):
                await login(auth)
            assert time.monotonic() - started < 1.9
            proxy.delay = 0
            assert (await auth.refresh(pair.refresh_token or "")).access_token


async def test_a_locked_file_bounds_every_request(tmp_path: Path) -> None:
    async with make_auth(SQLite(tmp_path / "auth.db", timeout=0.6), features=limited()) as auth:
        await register(auth)
        client = Client(AuthApp(auth))
        other = sqlite3.connect(tmp_path / "auth.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        statuses, slowest = await logins(client, 200)

        assert statuses == {503: 200}
        assert slowest < 1.6
        other.execute("ROLLBACK")
        other.close()
        assert (await client.post("/login", {"email": EMAIL, "password": PASSWORD})).status == 200


async def test_a_hash_that_cannot_be_ready_in_time_is_refused() -> None:
    async with make_auth(SQLite(":memory:", timeout=0.3), features=limited(workers=1)) as auth:
        hasher = auth[Passwords].passwords.hasher
        gate = threading.Event()
        running = hasher._pool.submit(gate.wait, 10)
        started = time.monotonic()

        with pytest.raises(BusyError):
            await auth[Passwords].register(email=EMAIL, password=PASSWORD)

        assert time.monotonic() - started < 3
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
    async with make_auth(SQLite(":memory:", timeout=0.3), features=limited()) as auth:
        await register(auth)
        app, sent = AuthApp(auth), list[Any]()
        body = f'{{"email": "{EMAIL}", "password": "{PASSWORD}"}}'.encode()

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(0.5)
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [(b"host", b"app.example.com"), (b"content-type", b"application/json")]
        scope = {"type": "http", "method": "POST", "path": "/login", "root_path": "", "query_string": b""}
        await app({**scope, "scheme": "https", "headers": headers, "client": ("192.0.2.1", 1)}, receive, send)

        assert sent[0]["status"] == 200
