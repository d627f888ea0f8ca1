"""The purge: what has expired goes, what lives stays; in batches, in the background, in one process at a time."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from asgi_auth import Auth, AuthApp, Passwords, Sessions, Settings
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.feature import Feature
from asgi_auth.runtime.purge import KEPT, LEASE
from asgi_auth.testing.records import NOW, a_session, a_token, added
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import Client, Clock, CountingStorage, make_auth

HOUR = 3600


class Old(Feature):
    """Has three things that are too old; `hold` keeps it at the first, and `error` is raised instead."""

    def __init__(self) -> None:
        self.left = 3
        self.asked: list[tuple[int, int]] = []
        self.started = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()
        self.error: Exception | None = None

    async def purge(self, now: int, batch: int) -> int:
        self.asked.append((now, batch))
        self.started.set()
        await self.hold.wait()
        if self.error is not None:
            raise self.error
        done = min(self.left, batch)
        self.left -= done
        return done


def make(storage: object = "sqlite://", *, clock: Clock, old: Old | None = None, interval: int = HOUR) -> Auth:
    features: list[Feature] = [Passwords(argon2=Argon2.cheap()), Sessions(), *([old] if old else [])]
    auth = make_auth(storage, clock=clock, features=features, purge_interval=interval)  # type: ignore[arg-type]
    auth.purger.pause = 0
    return auth


async def fill(auth: Auth, expired: int, living: int) -> None:
    """Sessions, tokens and counters of each kind, beside a user."""
    user, credential = await added(auth.storage)
    for number in range(expired + living):
        at = NOW + (HOUR if number < expired else 2 * KEPT)
        session = a_session(user, number, expires_at=at)
        await auth.storage.add_session(session, credential, 10_000)
        token = a_token(user, number, subject=f"subject {number}", expires_at=at)
        await auth.storage.add_token(token)
        await auth.storage.count(f"counter {number}", NOW, at - NOW)


async def left(auth: Auth) -> list[int]:
    """How many rows there are: sessions, tokens, counters."""
    async with auth.storage.transaction() as storage:
        run = storage.run  # type: ignore[attr-defined]
        tables = ("{sessions}", "{tokens}", "{counters}")
        return [len(await run(f"SELECT * FROM {table}", {})) for table in tables]


async def settle(auth: Auth) -> None:
    """Wait for what runs in the background."""
    task = auth.purger._tasks.get()
    if task is not None:
        await asyncio.wait([task], timeout=10)


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_what_expired_a_day_ago_goes_and_the_rest_stays(driver: str, fresh: Callable[[str], str]) -> None:
    clock = Clock(NOW)
    async with make(fresh(driver), clock=clock) as auth:
        await fill(auth, expired=4, living=2)

        clock.at = NOW + HOUR + KEPT
        too_early = await auth.purge()
        clock.move(1)
        deleted = await auth.purge()

        assert (too_early, deleted) == (0, 12)
        assert await left(auth) == [2, 2, 2]
        assert await auth.storage.user("user-1") is not None
        assert await auth.purge() == 0


async def test_batches_are_bounded() -> None:
    storage, clock = CountingStorage(), Clock(NOW)
    async with make(storage, clock=clock) as auth:
        await fill(auth, expired=5, living=1)
        clock.move(3 * HOUR + KEPT)
        auth.purger.batch = 2
        seen: list[list[int]] = []

        async def watch(statement: str) -> None:
            if "DELETE FROM {sessions}" in statement:
                storage.before = None
                seen.append(await left(auth))
                storage.before = watch

        storage.before = watch
        assert await auth.purge() == 15
        storage.before = None

    assert seen == [[6, 6, 7], [4, 4, 5], [2, 2, 3], [1, 1, 2]]


async def test_a_request_sets_it_off_when_the_time_has_come_and_does_not_wait_for_it() -> None:
    clock, old = Clock(NOW), Old()
    async with make(clock=clock, old=old) as auth:
        client = Client(AuthApp(auth))
        await fill(auth, expired=2, living=1)
        for _ in range(3):
            await client.post("/logout")
        assert (await left(auth), old.asked) == ([3, 3, 3], [])

        old.hold.clear()
        clock.move(2 * KEPT - 1)
        answer = await client.post("/logout")
        await old.started.wait()
        again = await client.post("/logout")
        old.hold.set()
        await settle(auth)

        assert (answer.status, again.status) == (401, 401)
        assert await left(auth) == [1, 1, 1]
        assert old.asked == [(int(clock()), auth.purger.batch)] * 2
        assert old.left == 0


async def test_it_comes_about_once_in_the_interval() -> None:
    clock, old = Clock(NOW), Old()
    async with make(clock=clock, old=old) as auth:
        times = []
        for _ in range(1000):
            clock.move(60)
            auth.purger.nudge()
            await settle(auth)
            if old.asked:
                times.append(clock())
                old.asked.clear()

    assert times[0] <= NOW + HOUR + 60
    gaps = [after - before for before, after in pairwise(times)]
    assert all(0.75 * HOUR <= gap <= 1.25 * HOUR + 60 for gap in gaps)
    assert len(set(gaps)) > 1


def test_by_default_it_is_on_and_it_can_be_left_to_the_host() -> None:
    assert Settings(secret="kV7-qWm2_zR9tYx4LbN8cPd3sGf6hJa1eUo5iTwQ0r").purge_interval == HOUR
    auth = make(clock=Clock(NOW), interval=0)

    # Outside of an event loop it could begin nothing.
    for _ in range(3):
        auth.purger.nudge()


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_two_processes_never_purge_at_once(driver: str, fresh: Callable[[str], str]) -> None:
    clock, first, second = Clock(NOW), Old(), Old()
    url = fresh(driver)
    async with make(url, clock=clock, old=first) as one, make(url, clock=clock, old=second) as other:
        first.hold.clear()
        running = asyncio.create_task(one.purge())
        await first.started.wait()

        meanwhile = await other.purge()
        first.hold.set()

        assert (meanwhile, second.asked) == (0, [])
        assert await running == 3
        assert await other.purge() == 3


async def test_the_lease_of_a_process_that_died_ends(tmp_path: Path) -> None:
    clock, old = Clock(NOW), Old()
    async with make(f"sqlite:///{tmp_path}/auth.db", clock=clock, old=old) as auth:
        await auth.storage.count("purge", NOW, LEASE)

        assert await auth.purge() == 0
        clock.move(LEASE - 1)
        assert await auth.purge() == 0
        clock.move(1)
        assert await auth.purge() == 3


@pytest.mark.parametrize("error", [StorageUnavailableError(), RuntimeError("broken")], ids=str)
async def test_an_error_changes_no_answer_and_is_logged(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    clock, old = Clock(NOW), Old()
    async with make(clock=clock, old=old) as auth:
        client = Client(AuthApp(auth))
        await client.post("/logout")
        old.error = error
        clock.move(2 * HOUR)

        answer = await client.post("/logout")
        await settle(auth)
        await client.post("/logout")
        await settle(auth)

        assert answer.status == 401
        assert caplog.text.count("failed to purge") == 1
        with pytest.raises(type(error)):
            await auth.purge()
        old.error = None
        assert await auth.purge() == 3


async def test_closing_ends_it_and_gives_the_lease_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock, old, url = Clock(NOW), Old(), f"sqlite:///{tmp_path}/auth.db"
    async with make(url, clock=clock, old=old) as auth:
        await Client(AuthApp(auth)).post("/logout")
        old.hold.clear()
        clock.move(2 * HOUR)
        await Client(AuthApp(auth)).post("/logout")
        await old.started.wait()
        task = auth.purger._tasks.get()

    assert task is not None
    assert task.cancelled()
    assert "purge" not in caplog.text
    assert [item.get_name() for item in asyncio.all_tasks() if "asgi_auth" in item.get_name()] == []
    assert old.left == 3
    async with make(url, clock=clock, old=(again := Old())) as auth:
        assert await auth.purge() == 3
    assert again.left == 0


async def test_a_cancelled_purge_gives_the_lease_back() -> None:
    clock, old = Clock(NOW), Old()
    async with make(clock=clock, old=old) as auth:
        old.hold.clear()
        running = asyncio.create_task(auth.purge())
        await old.started.wait()

        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        old.hold.set()

        assert await auth.purge() == 3
