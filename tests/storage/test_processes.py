"""The same atomicity among processes, as several workers of one server are."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from asgi_auth.storage.names import TABLES
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import MIGRATIONS, NOW, a_credential, a_session, a_token, added
from tests.storage.conftest import FILES_AND_SERVERS, connect

Fresh = Callable[[str], str]
WORKERS = 4

pytestmark = pytest.mark.parametrize("driver", FILES_AND_SERVERS)


class Worker:
    """A process that works on what it is told."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "tests.storage.worker"]
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def tell(self, task: str, url: str, argument: object = "-") -> None:
        """Give it a task."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{task} {url} {argument}\n")
        self._process.stdin.flush()

    def heard(self) -> str:
        """Wait for the result; why it died, when it has."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        return self._process.stdout.readline().strip() or self._process.stderr.read()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.communicate()


class Workers:
    """Four processes, told at once."""

    def __init__(self) -> None:
        self._workers = [Worker() for _ in range(WORKERS)]

    def do(self, task: str, url: str, argument: Callable[[int], object] = lambda _: "-") -> list[str]:
        """Have all do the same and return their results, sorted."""
        for number, worker in enumerate(self._workers):
            worker.tell(task, url, argument(number))
        return sorted(worker.heard() for worker in self._workers)

    def kill(self) -> None:
        """End all."""
        for worker in self._workers:
            worker.kill()


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    started = Workers()
    yield started
    started.kill()


@asynccontextmanager
async def opened(driver: str, url: str) -> AsyncIterator[SQLStorage]:
    storage = connect(driver, url)
    await storage.open()
    yield storage
    await storage.close()


async def test_of_callers_in_many_processes_exactly_one_rotates(driver: str, fresh: Fresh, workers: Workers) -> None:
    url = fresh(driver)
    async with opened(driver, url) as storage:
        await storage.migrate(NOW)
        user, credential = await added(storage)
        await storage.add_session(a_session(user), credential, 1)

        for generation in range(10):
            won = workers.do("rotate", url, lambda _: generation)  # noqa: B023 (it is called at once)

            assert won == ["0", "0", "0", "1"]

        assert workers.do("follow", url, lambda _: 30) == ["0", "0", "0", "1"]
        session = await storage.session("session-1")
        assert session is not None
        assert session.generation == 31
    workers.do("close", url)


async def test_callers_in_many_processes_are_counted_together(driver: str, fresh: Fresh, workers: Workers) -> None:
    url = fresh(driver)
    async with opened(driver, url) as storage:
        await storage.migrate(NOW)

        within = workers.do("count", url, lambda _: 20)
        attempts = workers.do("attempt", url, lambda _: 7)

        assert sum(map(int, within)) == 20
        assert sum(map(int, attempts)) == 7
    workers.do("close", url)


async def test_of_callers_in_many_processes_exactly_one_wins_a_credential_or_a_token(
    driver: str, fresh: Fresh, workers: Workers
) -> None:
    url, won = fresh(driver), ["0", "0", "0", "1"]
    async with opened(driver, url) as storage:
        await storage.migrate(NOW)
        user, _ = await added(storage)
        for number in range(10):
            key = a_credential(user, id=f"key-{number}", kind="passkey", identifier=f"{number}")
            await storage.add_credential(key)
            await storage.add_token(a_token(None, number))

        for number in range(10):
            assert workers.do("change_credential", url, lambda _: number + 1) == won  # noqa: B023 (called at once)
            assert workers.do("delete_credential", url, lambda _: f"key-{number}") == won  # noqa: B023
            assert workers.do("change_token", url, lambda _: f"request-{number}") == won  # noqa: B023

        credential = await storage.credential(user.id, "password")
        assert credential is not None
        assert credential.version == 11
    workers.do("close", url)


async def test_of_processes_that_start_at_once_one_migrates(driver: str, fresh: Fresh, workers: Workers) -> None:
    url = fresh(driver)
    for _ in range(5):
        assert workers.do("migrate", url) == [str(MIGRATIONS), "[]", "[]", "[]"]

        assert workers.do("close", url) == ["closed"] * WORKERS
        async with opened(driver, url) as storage, storage.transaction() as inside:
            await added(inside)
            rows = await inside.run("SELECT version FROM {migrations}", {})
            assert [row["version"] for row in rows] == MIGRATIONS
            for table in (*TABLES, "users"):
                await inside.run(f"DROP TABLE {{{table}}}", {})


async def test_a_migration_that_is_killed_half_way_is_run_again(driver: str, fresh: Fresh) -> None:
    url, worker = fresh(driver), Worker()
    async with opened(driver, url) as storage:
        worker.tell("hang_in_migration", url)
        assert worker.heard() == "half-way"
        with pytest.raises(ValueError, match="auth_users"):
            await storage.user("user-1")

        worker.kill()

        assert await storage.migrate(NOW) == MIGRATIONS
        await added(storage)


async def test_processes_that_write_at_once_are_all_served(driver: str, fresh: Fresh, workers: Workers) -> None:
    url = fresh(driver)
    async with opened(driver, url) as storage:
        await storage.migrate(NOW)

        refused = workers.do("write", url, lambda number: number)

        assert refused == ["0"] * WORKERS
        for number in range(WORKERS):
            assert await storage.sessions(f"user-{number}", NOW, 0) == []
    workers.do("close", url)


async def test_of_processes_that_purge_at_once_one_does_it(driver: str, fresh: Fresh, workers: Workers) -> None:
    url = fresh(driver)
    async with opened(driver, url) as storage:
        await storage.migrate(NOW)
        user, credential = await added(storage)
        for number in range(200):
            await storage.add_session(a_session(user, number), credential, 1000)

        assert workers.do("purge", url) == ["0", "0", "0", "200"]

        assert await storage.session("session-1") is None
    workers.do("close", url)


async def test_a_change_by_another_process_is_noticed_at_once(driver: str, fresh: Fresh, workers: Workers) -> None:
    url = fresh(driver)
    async with opened(driver, url) as storage:
        await storage.migrate(NOW)
        await added(storage)
        workers.do("migrate", url)
        await storage.wait_for_change(0.5)
        waiting = asyncio.create_task(storage.wait_for_change(20))
        await asyncio.sleep(0.2)
        assert not waiting.done()

        await asyncio.to_thread(workers.do, "disable", url, lambda _: "user-1")

        async with asyncio.timeout(2):
            await waiting
        assert (await storage.changes_since(NOW)).users == [("user-1", (), NOW)]
    workers.do("close", url)
