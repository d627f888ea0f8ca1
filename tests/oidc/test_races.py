"""What is won or lost once, is so among processes: one way back, one new user, the last way to log in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx2
import pytest

from asgi_auth.testing.provider import FakeProvider
from tests.cluster import cluster, free_port
from tests.oidc.worker import BASE_URL, NAMES, SECRET
from tests.providers.serving import served

HEADERS = {"host": urlsplit(BASE_URL).netloc, "auth-transport": "cookie", "sec-fetch-site": "same-origin"}
#: The number of processes by database.
PROCESSES = {"sqlite": 2, "postgres15": 4}


@dataclass
class Cluster:
    """Processes of one app, and two providers."""

    urls: list[str]
    providers: dict[str, FakeProvider]
    http: httpx2.AsyncClient

    async def back(self, browser: dict[str, str], name: str = "corp") -> str:
        """Begin a login at the first process; return the path of the way back."""
        answer = await self.call(browser, "GET", f"/auth/oidc/{name}/login")
        way = await self.providers[name].visit(answer.headers["location"])
        parts = urlsplit(way.url)
        return f"{parts.path}?{parts.query}"

    async def call(self, browser: dict[str, str], method: str, path: str, number: int = 0) -> httpx2.Response:
        """Call one of the processes with the cookies of a browser, and keep those of the answer."""
        cookies = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.items())}
        answer = await self.http.request(method, self.urls[number % len(self.urls)] + path, headers=HEADERS | cookies)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            browser[name] = value
        return answer


@asynccontextmanager
async def running(url: str, processes: int) -> AsyncIterator[Cluster]:
    async with AsyncExitStack() as stack:
        providers: dict[str, FakeProvider] = {}
        for name in NAMES:
            port = free_port()
            provider = FakeProvider(f"http://127.0.0.1:{port}", client_secret=SECRET)
            provider.add_user("7", email="ada@example.com", email_verified=True)
            await stack.enter_async_context(served(provider, port))
            providers[name] = provider
        more = {f"{name.upper()}_URL": provider.issuer for name, provider in providers.items()}
        # Starting waits without the event loop; the providers answer from then on.
        urls = stack.enter_context(cluster(url, processes, "tests.oidc.worker", more))
        # No cookies of its own: each caller is a browser.
        http = await stack.enter_async_context(
            httpx2.AsyncClient(timeout=30, cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])))
        )
        yield Cluster(urls, providers, http)


@pytest.mark.parametrize("driver", PROCESSES)
async def test_a_way_back_a_new_user_and_the_last_way_in_are_raced_for(
    fresh: Callable[[str], str], driver: str
) -> None:
    async with running(fresh(driver), PROCESSES[driver]) as races:
        await one_way_back(races)
        await one_new_user(races)
        await the_last_way(races)


async def one_way_back(races: Cluster) -> None:
    """Of 32 that take one way back, one is logged in."""
    races.providers["corp"].add_user("8", email="eve@example.com", email_verified=True)
    races.providers["corp"].visitor = "8"
    browser: dict[str, str] = {}
    path = await races.back(browser)
    copies = [dict(browser) for _ in range(32)]
    answers = await asyncio.gather(*(races.call(copy, "GET", path, number) for number, copy in enumerate(copies)))
    users = [(await races.call(copy, "GET", "/")).json()["id"] for copy in copies]

    assert sorted(answer.status_code for answer in answers) == [303, *[400] * 31]
    assert len([user for user in users if user]) == 1
    assert len(races.providers["corp"].asked("token")) == 1


async def one_new_user(races: Cluster) -> None:
    """Browsers of a new user that log in at once get one account."""
    races.providers["corp"].visitor = "7"
    browsers: list[dict[str, str]] = [{} for _ in range(8)]
    paths = [await races.back(browser) for browser in browsers]
    calls = (races.call(browser, "GET", paths[number], number) for number, browser in enumerate(browsers))
    answers = await asyncio.gather(*calls)
    users = {(await races.call(browser, "GET", "/")).json()["id"] for browser in browsers}

    assert {answer.status_code for answer in answers} == {303}
    assert len(users) == 1
    assert users != {""}


async def the_last_way(races: Cluster) -> None:
    """Of two processes that take the last two ways to log in away at once, one is refused."""
    browser: dict[str, str] = {}
    for name in NAMES:
        await races.call(browser, "GET", await races.back(browser, name))
    ids = [each["id"] for each in (await races.call(browser, "GET", "/auth/identities")).json()["identities"]]
    calls = (races.call(dict(browser), "DELETE", f"/auth/identities/{each}", n) for n, each in enumerate(ids))
    answers = await asyncio.gather(*calls)

    assert len(ids) == 2
    assert sorted(answer.status_code for answer in answers) == [204, 409], [answer.text for answer in answers]
    assert [answer.json()["code"] for answer in answers if answer.status_code == 409] == ["last_way_in"]
