"""The browser of a user without a browser: it follows an authorization URL, logs in, and answers the consent page."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

from tests.mcp.serving import ACCOUNT

FORM = re.compile(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
NAVIGATION = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


class Browser:
    """Opens what clients ask it to open; its user allows everything, or denies it."""

    def __init__(self, http: httpx2.AsyncClient, answer: str = "allow") -> None:
        self.http, self.answer = http, answer
        #: The parameters of the authorization requests, in order.
        self.opened: list[dict[str, str]] = []

    async def open(self, url: str) -> str:
        """Return the URL that the server leads to in the end."""
        self.opened.append(dict(parse_qsl(urlsplit(url).query)))
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        answer = await self.http.get(url, headers=NAVIGATION)
        for _ in range(10):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["location"])
                if not target.startswith(f"{origin}/"):
                    return target
                answer = await self.http.get(target, headers=NAVIGATION)
                continue
            assert answer.status_code == 200, (answer.status_code, answer.text)
            # The first form is that of the page's subject.
            action, inside = next(iter(FORM.findall(answer.text)))
            values = {name: unescape(value) for name, value in HIDDEN.findall(inside)}
            values |= ACCOUNT if 'name="password"' in inside else {"answer": self.answer}
            answer = await self._send(urljoin(str(answer.url), unescape(action)), values, origin)
        raise AssertionError(f"the pages lead in a circle: {answer.url}")

    async def _send(self, url: str, values: dict[str, str], origin: str) -> httpx2.Response:
        """Send a form; again when the server is too busy for a password, as its page says."""
        headers = NAVIGATION | {"origin": origin, "sec-fetch-site": "same-origin"}
        answer = await self.http.post(url, data=values, headers=headers)
        for _ in range(20):
            if answer.status_code != 503 or "password" not in values:
                break
            await asyncio.sleep(1)
            answer = await self.http.post(url, data=values, headers=headers)
        return answer

    async def deliver(self, url: str) -> None:
        """Do what `open` does, and visit the listener of the client, as a browser does."""
        landed = await self.open(url)
        # No user is as fast: the program opens the browser first, and listens then.
        for _ in range(400):
            try:
                await self.http.get(landed, headers=NAVIGATION)
            except httpx2.ConnectError:
                await asyncio.sleep(0.05)
            else:
                return

    async def log_in(self, origin: str) -> None:
        """Log in, for what no program asks for."""
        headers = {"origin": origin, "auth-transport": "cookie"}
        answer = await self.http.post(f"{origin}/auth/login", json=ACCOUNT, headers=headers)
        assert answer.status_code == 200, answer.text

    async def disconnect(self, mount: str) -> list[str]:
        """Disconnect all programs, as their user does; return their names."""
        apps = (await self.http.get(f"{mount}/connected-apps")).json()["apps"]
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(mount))
        for app in apps:
            gone = await self.http.delete(f"{mount}/connected-apps/{app['id']}", headers={"origin": origin})
            assert gone.status_code == 204, gone.text
        return [app["name"] for app in apps]


@asynccontextmanager
async def browsing(cookies: httpx2.Cookies | None = None) -> AsyncIterator[Browser]:
    """Open a browser with the cookies of the one before, which take those of this one."""
    kept = httpx2.Cookies() if cookies is None else cookies
    # A login takes long on a machine with much to do.
    async with httpx2.AsyncClient(timeout=60, cookies=kept) as http:
        yield Browser(http)
        kept.update(http.cookies)


async def main(url: str, answer: str) -> None:
    """Be the browser that a program opens."""
    async with browsing() as browser:
        browser.answer = answer
        await browser.deliver(url)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
