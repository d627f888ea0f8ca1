"""A visit through a proxy: what a browser does, and what a client does that wants to deceive."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from websockets.asyncio.client import connect

from tests.deploy.programs import HOST
from tests.support import PASSWORD

#: The address that the tests connect from, so that client and proxy differ.
CLIENT = "127.0.0.2"
#: What a browser sends with a form.
FORM = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
FORGED = {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.8", "Forwarded": "for=203.0.113.9"}


@dataclass(frozen=True)
class Site:
    """A site behind a proxy: the port of the proxy, the path of the app, and what trusts its certificate."""

    port: int
    path: str
    trust: ssl.SSLContext

    def client(self) -> httpx2.AsyncClient:
        """Return a client with the headers of a page of the site."""
        transport = httpx2.AsyncHTTPTransport(verify=self.trust, local_address=CLIENT)
        return httpx2.AsyncClient(
            base_url=f"https://127.0.0.1:{self.port}{self.path}",
            headers={"Host": HOST, "Origin": f"https://{HOST}"},
            transport=transport,
            timeout=30,
        )


async def call(client: httpx2.AsyncClient, method: str, path: str, **more: Any) -> httpx2.Response:
    """Send a request to the host of the certificate."""
    return await client.request(method, path, extensions={"sni_hostname": HOST}, **more)


async def visit(site: Site, email: str) -> None:
    """Register, log in with cookies, and look what the app sees; a forged address must not count."""
    account = {"email": email, "password": PASSWORD}
    cookies = {"Auth-Transport": "cookie"}
    async with site.client() as client:
        assert (await call(client, "POST", "/auth/register", json=account)).status_code == 201
        foreign = {**cookies, "Origin": "https://evil.example"}
        refused = await call(client, "POST", "/auth/login", json=account, headers=foreign)
        assert (refused.status_code, refused.json()["code"]) == (403, "cross_site_request")
        login = await call(client, "POST", "/auth/login", json=account, headers={**cookies, **FORGED})
        assert login.status_code == 200, login.text
        set_cookies = login.headers.get_list("set-cookie")
        assert all("; Path=/;" in f"{cookie};" and "Secure" in cookie for cookie in set_cookies), set_cookies
        assert {cookie.name for cookie in client.cookies.jar} >= {"__Host-auth", "__Host-auth-refresh"}

        (session,) = (await call(client, "GET", "/auth/sessions")).json()["sessions"]
        assert session["address"] == CLIENT
        seen = (await call(client, "GET", "/")).json()
        assert seen["user"]
        assert seen["url"].startswith(f"https://{HOST}/"), seen
        assert (await call(client, "GET", "/auth/health")).status_code == 404
        await greeted(site, client, seen["user"])
        await by_pages(site, account)


async def greeted(site: Site, client: httpx2.AsyncClient, user: str) -> None:
    """Open a websocket with the cookies."""
    cookie = "; ".join(f"{item.name}={item.value}" for item in client.cookies.jar)
    async with connect(
        f"wss://{HOST}{site.path}/live",
        host="127.0.0.1",
        port=site.port,
        ssl=site.trust,
        additional_headers={"Cookie": cookie},
        origin=f"https://{HOST}",  # type: ignore[arg-type]
        proxy=None,
    ) as socket:
        assert await socket.recv() == user


async def by_pages(site: Site, account: dict[str, str]) -> None:
    """Log in by the form of the page: it leads to the path of the app."""
    async with site.client() as client:
        page = await call(client, "GET", "/auth/login")
        assert "<form" in page.text
        sent = await call(client, "POST", "/auth/login", data=account, headers=FORM)
        assert sent.status_code == 303, sent.text
        assert sent.headers["location"].removeprefix(f"https://{HOST}") == f"{site.path}/"


def settings_of(folder: Path, name: str, text: str) -> Path:
    """Write a file of settings for a program."""
    file = folder / name
    file.write_text(text, "utf-8")
    return file
