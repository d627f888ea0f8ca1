"""Servers whose clocks differ, on one database: real processes under libfaketime, one right and one for each skew.

Whatever the clocks say, a logout on one server is seen by the other within the lag. Within the leeway no user is logged
out; beyond it, browsers go on by their refresh cookies.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from tests.cluster import account_at, await_answer, free_port, server
from tests.support import SECRET
from tests.variants import FULL

#: Debian's package `faketime`. Its program would put a process between this one and the server.
LIBRARY = [str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]
DAY = 86400
SKEWS = (-3 * DAY, -600, -6, 6, 40, 600, 3 * DAY) if FULL else (-3 * DAY, -6, 40, 3 * DAY)
LEEWAY, LAG = 30, 2.0
#: The lag, and time for a busy machine.
PATIENCE = 3 * LAG
COOKIE = {"auth-transport": "cookie", "sec-fetch-site": "same-origin"}


@dataclass
class Browser:
    """A browser that goes to several servers with the same cookies."""

    client: httpx2.AsyncClient
    jar: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, url: str, body: dict[str, str] | None = None) -> httpx2.Response:
        cookies = {"cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}
        answer = await self.client.request(method, url, json=body, headers=COOKIE | cookies)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.jar[name] = value
        self.jar = {name: value for name, value in self.jar.items() if value}
        return answer

    async def user_at(self, url: str) -> str:
        return str((await self.send("GET", f"{url}/")).json()["id"])

    def copy(self) -> "Browser":
        return Browser(self.client, dict(self.jar))


@contextmanager
def skewed(seconds: int, database_url: str) -> Iterator[str]:
    """Run a server whose clock is some seconds ahead, or behind."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "uvicorn", "tests.worker:app"]
    environment = {
        **os.environ,
        "AUTH_DATABASE_URL": database_url,
        "AUTH_SECRET": SECRET,
        "LD_PRELOAD": LIBRARY[0],
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    process = subprocess.Popen([*command, "--port", str(port), "--log-level", "warning"], env=environment)
    try:
        yield url
    finally:
        process.terminate()
        process.wait(20)


async def seconds_until_refused(client: httpx2.AsyncClient, url: str, *browsers: Browser, token: str) -> float:
    """Ask with copies of cookies and with a token until all are refused; return the seconds that it took."""
    started = time.monotonic()
    while time.monotonic() < started + 5 * PATIENCE:
        users = [await browser.copy().user_at(url) for browser in browsers]
        bearer = (await client.get(f"{url}/", headers={"authorization": f"Bearer {token}"})).json()["id"]
        if not any(users) and not bearer:
            return time.monotonic() - started
        await asyncio.sleep(0.05)
    return float("inf")


async def judge(client: httpx2.AsyncClient, name: str, here: str, there: str) -> tuple[bool, bool, float]:
    """Log in here and go there: whether cookies and a token are good there, and the delay of a logout."""
    account = await account_at(client, here, name)
    token = (await client.post(f"{here}/auth/login", json=account)).json()["access_token"]
    by_token = (await client.get(f"{there}/", headers={"authorization": f"Bearer {token}"})).json()["id"]
    browser = Browser(client)
    await browser.send("POST", f"{here}/auth/login", account)
    first = browser.copy()
    users = [await browser.user_at(url) for url in (there, here, there, here)]
    await browser.copy().send("POST", f"{here}/auth/logout")
    await client.post(f"{here}/auth/logout", headers={"authorization": f"Bearer {token}"})
    delay = await seconds_until_refused(client, there, first, browser, token=token)
    return all(users), bool(by_token), delay


@pytest.mark.parametrize("driver", ["sqlite", "postgres18"])
async def test_a_logout_is_seen_by_servers_with_any_clock(driver: str, fresh: Callable[[str], str]) -> None:
    assert LIBRARY, "the test needs libfaketime, which `make faketime` installs"
    database = fresh(driver)
    with server("tests.worker", database, {}) as right, ExitStack() as stack:
        wrong = {skew: stack.enter_context(skewed(skew, database)) for skew in SKEWS}
        async with httpx2.AsyncClient(timeout=30) as client:
            for url in wrong.values():
                await asyncio.to_thread(await_answer, url)
            for skew, url in wrong.items():
                ways = {"there": (right, url), "back": (url, right)}
                judged = await asyncio.gather(*(judge(client, f"{way}{skew}", *both) for way, both in ways.items()))
                for way, (cookies, token, delay) in zip(ways, judged, strict=True):
                    sys.stdout.write(f"{driver:11} {skew:+8d} s {way:6} {cookies!s:6} {token!s:6} {delay:5.2f} s\n")

                    assert cookies, f"a browser was logged out with a skew of {skew} s"
                    assert token or abs(skew) > LEEWAY
                    assert delay < PATIENCE
