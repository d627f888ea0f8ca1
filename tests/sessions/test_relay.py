"""The relay: of many processes one looks at revocations, the others know as much, and none trusts what is old."""

import asyncio
import os
import signal
import socket
import stat
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from asgi_auth import Auth
from asgi_auth.model.revocations import Changes
from asgi_auth.sessions.relay.messages import VERSION, Greeting, Look
from asgi_auth.sessions.relay.relay import Relay
from asgi_auth.sessions.relay.socket_file import CREDENTIALS
from asgi_auth.storage.statements import feed
from tests.cluster import account_at, cluster, revocation_delay
from tests.sessions.test_revocation import eventually, refuses
from tests.storage.conftest import SERVERS
from tests.support import CountingStorage, login, make_auth, register

LAG = 1.0
GREETING = Greeting(VERSION, "an installation")
STRANGER = 65534


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "auth.sock")


def a_look(changes: Changes | None = None, age: float = 0.0) -> Look:
    """A look that began so many seconds ago."""
    started = time.monotonic() - age
    return Look(changes or Changes(position="1"), started, time.time() - age, started + LAG)


def listener(path: str) -> int:
    """The process that listens at a socket; 0 while none does."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(path)
        told = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        return int(CREDENTIALS.unpack(told)[0])
    return 0


def looks(storage: CountingStorage) -> int:
    return storage.statements.count(feed.POSITION["sqlite"])


async def test_one_looks_and_the_others_know_as_much(path: str, tmp_path: Path) -> None:
    storages = [CountingStorage(str(tmp_path / "auth.db")) for _ in range(3)]
    async with AsyncExitStack() as stack:
        first, *others = [
            await stack.enter_async_context(make_auth(each, relay=path, max_revocation_lag=20)) for each in storages
        ]
        user_id = await register(first)
        tokens = [await login(others[0]) for _ in range(5)]
        for auth in others:
            await auth.authenticate(str(tokens[0].access_token))

        async def are_told() -> bool:
            return min(looks(each) for each in storages[1:]) == 2

        assert await eventually(are_told, 10)
        before, of_others = looks(storages[0]), [looks(each) for each in storages[1:]]
        for pair in tokens:
            session_id = (await others[0].authenticate(str(pair.access_token))).session_id
            await others[0].end_sessions(user_id, only=session_id)
            assert await eventually(partial(refuses, others[1], pair))
        await others[1].users.set_roles(user_id, ["admin"])

        async def knows_the_role() -> bool:
            return others[0].revocation.roles.get(user_id) == ("admin",)

        assert await eventually(knows_the_role)
        # All that the others know is from the first: they have not read the tables again.
        assert [looks(each) for each in storages[1:]] == of_others
        assert all(auth.revocation.is_fresh() for auth in others)
        assert looks(storages[0]) > before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_process_that_looks_no_more_is_replaced(how: signal.Signals, path: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    with cluster(url, 3, more={"AUTH_RELAY": path}) as urls:
        async with httpx2.AsyncClient(timeout=30) as client:
            account = await account_at(client, urls[0], "ada")
            first = listener(path)
            await revocation_delay(client, urls, account)

            os.kill(first, how)
            left = [url for url in urls if await answers(url)]
            delays = [await revocation_delay(client, left, account) for _ in range(3)]

            async def is_replaced() -> bool:
                return listener(path) not in {0, first}

            replaced = how == signal.SIGSTOP or await eventually(is_replaced, 10)
        os.kill(first, signal.SIGCONT) if how == signal.SIGSTOP else None

    assert first
    assert len(left) == 2
    assert replaced
    # One lag in which the knowledge from before is still valid, and a second of a busy machine.
    assert max(delays) < 3


async def answers(url: str) -> bool:
    async with httpx2.AsyncClient(timeout=1) as client:
        with suppress(httpx2.HTTPError):
            return (await client.get(url)).status_code == 200
    return False


@pytest.mark.parametrize("driver", SERVERS[-1:])
async def test_of_two_processes_on_postgresql_one_listens(driver: str, path: str, fresh: Callable[[str], str]) -> None:
    url = fresh(driver)
    async with make_auth(url, relay=path) as here, make_auth(url, relay=path) as there:
        await register(here)
        for _ in range(2):
            pair = await login(there)
            identity = await here.authenticate(str(pair.access_token))
            await here.end_sessions(identity.id, only=identity.session_id)

            assert await eventually(partial(refuses, there, pair))
        states: list[Any] = [auth.storage._driver._loops.get() for auth in (here, there)]  # type: ignore[attr-defined]

        assert [state.listener is not None for state in states].count(True) == 1


async def test_what_is_told_is_as_old_as_the_look() -> None:
    async with make_auth(max_revocation_lag=LAG) as auth:
        await stopped(auth)
        revocation = auth.revocation
        assert await revocation.learn(a_look())
        assert revocation.is_fresh()
        revocation._last_sync = None

        assert await revocation.learn(a_look(age=LAG + 0.1))
        assert not revocation.is_fresh()

        revocation._last_sync = None
        look = a_look()
        assert await revocation.learn(Look(look.changes, look.started, look.time, float("-inf")))
        assert not revocation.is_fresh()


async def test_a_look_that_cannot_be_judged_is_made_again() -> None:
    async with make_auth() as auth:
        await stopped(auth)
        too_long, look = Look(None, time.monotonic(), time.time(), time.monotonic() + LAG), a_look()

        assert not await auth.revocation.learn(too_long)
        assert not await auth.revocation.learn(Look(look.changes, look.started, look.time - 3600, look.until))


async def test_an_older_look_does_not_take_back_what_this_process_changed() -> None:
    async with make_auth() as auth:
        await stopped(auth)
        user_id = await register(auth)
        old = a_look(Changes(position="1", users=[(user_id, (), 1)]))
        await auth.users.set_roles(user_id, ["admin"])

        await auth.revocation.learn(old)
        assert auth.revocation.roles[user_id] == ("admin",)

        auth.revocation._last_sync = None
        await auth.revocation.learn(a_look(Changes(position="2", users=[(user_id, ("editor",), 2)])))
        assert auth.revocation.roles[user_id] == ("editor",)


async def test_what_was_ended_before_a_process_was_told_is_known(path: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    async with make_auth(url, relay=path, max_revocation_lag=20) as first, make_auth(url) as second:
        await register(first)
        pair = await login(first)
        await stopped(second)
        await first.authenticate(str(pair.access_token))
        await first.end_sessions((await second.authenticate(str(pair.access_token))).id)
        await first.revocation.sync()
        relay = Relay(path, second.revocation, 20, first.keys.derived("relay")[0].hex()[:32])
        following = asyncio.ensure_future(relay.follow())

        async def is_known() -> bool:
            return relay.role == "told" and len(second.revocation.dead) == 1

        known = await eventually(is_known)
        following.cancel()

    assert known


async def test_without_the_relay_each_looks_for_itself(
    path: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(path)
    url = f"sqlite:///{tmp_path}/auth.db"
    here, there = [make_auth(url, relay=path, max_revocation_lag=0.4) for _ in range(2)]
    async with here, there:
        await register(here)
        pair = await login(here)
        identity = await there.authenticate(str(pair.access_token))
        await here.end_sessions(identity.id)

        assert await eventually(lambda: refuses(there, pair))
        assert await eventually(lambda: is_fresh(there))

    assert stat.S_ISFIFO(os.lstat(path).st_mode)
    assert "without the relay" in caplog.text


async def test_an_installation_is_told_nothing_of_another_one(path: str, tmp_path: Path) -> None:
    one, other = [f"sqlite:///{tmp_path}/{name}.db" for name in ("one", "other")]
    async with make_auth(one, relay=path), make_auth(other, relay=path, max_revocation_lag=0.4) as auth:
        await register(auth)
        pair = await login(auth)
        async with make_auth(other) as third:
            await third.end_sessions((await auth.authenticate(str(pair.access_token))).id)

        assert await eventually(lambda: refuses(auth, pair))


async def is_fresh(auth: Auth) -> bool:
    return auth.revocation.is_fresh()


async def stopped(auth: Auth) -> None:
    """Stop the looking, so that nothing but the test tells the process anything."""
    run = auth._lifecycle._runs.get()
    assert run is not None
    assert run.follower is not None
    run.follower.cancel()
    with suppress(asyncio.CancelledError):
        await run.follower
