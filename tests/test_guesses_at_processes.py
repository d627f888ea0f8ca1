"""Guesses at an account in several worker processes with all defaults: counted together, and the owner logs in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.cluster import cluster
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, ORIGIN, PASSWORD

PROCESSES = 3
HOME, EVIL = "198.51.100.7", "203.0.113.66"
WRONG = "not the right one"
BROWSER = {"auth-transport": "cookie", "origin": ORIGIN, "sec-fetch-site": "same-origin"}


@dataclass
class Workers:
    """Worker processes on one database, and a client that calls each in turn."""

    urls: list[str]
    client: httpx2.AsyncClient
    calls: int = 0

    async def post(self, path: str, body: dict[str, str], ip: str, **headers: str) -> httpx2.Response:
        """Send a request to the next process."""
        self.calls += 1
        url = self.urls[self.calls % len(self.urls)]
        return await self.client.post(f"{url}/auth/{path}", json=body, headers={"x-forwarded-for": ip, **headers})

    async def login(self, ip: str, password: str = PASSWORD, **headers: str) -> httpx2.Response:
        return await self.post("login", {"email": EMAIL, "password": password}, ip, **headers)

    async def lock(self) -> int:
        """Guess from many networks at once until strangers are locked; return how many guesses were judged."""
        guesses = [self.login(f"203.0.113.{number}", WRONG) for number in range(20)]
        guesses += [self.login(f"2001:db8:{number:x}::1", WRONG) for number in range(20)]
        statuses = [answer.status_code for answer in await asyncio.gather(*guesses)]
        assert set(statuses) == {401, 429}
        return statuses.count(401)


@asynccontextmanager
async def workers(database_url: str, folder: Path) -> AsyncIterator[Workers]:
    """Run the processes, and register an account."""
    (folder / "go").touch()
    environment = {"MAILS": str(folder), "ANSWER_FIRST": "1"}
    with cluster(database_url, PROCESSES, "tests.guarded_worker", environment) as urls:
        async with httpx2.AsyncClient(timeout=60) as client:
            made = Workers(urls, client)
            answer = await made.post("register", {"email": EMAIL, "password": PASSWORD}, "192.0.2.1")
            assert answer.status_code == 201, answer.text
            yield made


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_the_owner_logs_in_at_every_process_while_strangers_guess(
    driver: str, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    async with workers(fresh(driver), tmp_path) as made:
        assert (await made.login(HOME)).status_code == 200
        entered = await made.login("192.0.2.44", **BROWSER)
        device = "; ".join(f"{name}={value}" for name, value in entered.cookies.items() if "device" in name)
        assert device

        strangers = asyncio.create_task(made.lock())
        answers = await asyncio.gather(*(made.login(HOME) for _ in range(20)))

        assert await strangers <= 10
        assert [answer.status_code for answer in answers] == [200] * 20
        for _ in range(PROCESSES):
            assert (await made.login(EVIL)).json()["code"] in {"account_locked", "rate_limited"}
            assert (await made.login(HOME)).status_code == 200
            assert (await made.login(EVIL, **BROWSER, cookie=device)).status_code == 200


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_the_guesses_of_a_known_client_are_counted_by_all_processes_together(
    driver: str, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    async with workers(fresh(driver), tmp_path) as made:
        for ip in (HOME, "198.51.100.8"):
            assert (await made.login(ip)).status_code == 200

        answers = await asyncio.gather(*(made.login(HOME, WRONG) for _ in range(24)))

        assert [answer.status_code for answer in answers].count(401) == 10
        assert {answer.status_code for answer in answers} == {401, 429}
        for _ in range(PROCESSES):
            assert (await made.login(HOME)).status_code == 429
            assert (await made.login("198.51.100.8")).status_code == 200
        # Its guesses lock no stranger.
        assert (await made.login(EVIL, WRONG)).status_code == 401
