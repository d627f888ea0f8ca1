"""Consent in Chromium: every kind of address is reached, other sites frame nothing, and the page looks right."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from playwright.async_api import Browser, Page, expect
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from asgi_auth import AuthMiddleware, AuthorizationServer, Outbox, Pages, Resource
from asgi_auth.feature import Outgoing
from asgi_auth.testing.provider import InProcess
from tests.browser.tabs import firefox_profile
from tests.browser.test_look import SHIFTS, examine
from tests.cluster import free_port
from tests.oauth.test_documents import DOCUMENT, HOSTED, URL, Site, listening
from tests.oauth.world import SCOPES, VERIFIER
from tests.providers.serving import served
from tests.support import EMAIL, PASSWORD, cheap, make_auth, register, who

pytestmark = pytest.mark.asyncio(loop_scope="session")
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
#: What a client registers, and what it asks for.
KINDS = {
    "https": ("https://client.example/cb", "https://client.example/cb"),
    "another port of 127.0.0.1": ("http://127.0.0.1:1/cb", "http://127.0.0.1:{port}/cb"),
    "another port of localhost": ("http://localhost/cb", "http://localhost:{port}/cb"),
    "another port of ::1": ("http://[::1]:1/cb", "http://[::1]:{port}/cb"),
    "a scheme of an editor": ("cursor://anysphere.cursor-mcp/oauth/callback",) * 2,
    "a scheme of an app": ("com.example.notes:/callback?of=us",) * 2,
}


@dataclass
class Service:
    """The service, and what it takes to ask it for consent."""

    url: str
    program: httpx2.AsyncClient

    async def asked(self, registered: str, uri: str = "", **changes: str) -> str:
        """Register a client, and return the URL of its request."""
        about = {"redirect_uris": [registered], "client_name": "Editor"}
        client_id = (await self.program.post("/auth/oauth/register", json=about)).json()["client_id"]
        return self.request_of(client_id, uri or registered, **changes)

    def request_of(self, client_id: str, uri: str, **changes: str) -> str:
        """Return the URL of the request of a client."""
        values = {"response_type": "code", "client_id": client_id, "redirect_uri": uri, "state": "s"}
        values |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        return f"{self.url}/auth/authorize?{urlencode(values | changes)}"


@asynccontextmanager
async def service(outgoing: Outgoing | None = None, **settings: Any) -> AsyncIterator[Service]:
    """Serve an app with one user."""
    url = f"http://localhost:{free_port()}"
    server = AuthorizationServer({"/mcp": Resource("Notes", scopes=SCOPES)}, outgoing=outgoing)
    features = [*cheap(), Pages(), server]
    settings = {"base_url": url, "development": True, "name": "Lighthouse", **settings}
    async with (
        make_auth(features=features, mailer=Outbox(), **settings) as auth,
        served(AuthMiddleware(who, auth, mount="/auth"), int(url.rpartition(":")[2])),
        httpx2.AsyncClient(base_url=url) as program,
    ):
        await register(auth)
        yield Service(url, program)


@asynccontextmanager
async def opened(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    async with await browser.new_context(**options) as context:
        yield await context.new_page()


async def log_in(page: Page) -> None:
    """Log in on the page to which a request without a login leads."""
    await page.fill("#login-email", EMAIL)
    await page.fill("#login-password", PASSWORD)
    await page.click("button.primary")
    await expect(page.get_by_role("heading", name="Connect a program")).to_be_visible()


async def test_every_kind_of_address_is_reached(browser: Browser) -> None:
    async with service() as app, opened(browser) as page:
        refused: list[str] = []
        await page.goto(await app.asked("https://client.example/"))
        await log_in(page)
        for kind, (registered, asked) in KINDS.items():
            uri, tab = asked.format(port=free_port()), await page.context.new_page()
            tab.on("console", lambda message: refused.append(message.text) if "form-action" in message.text else None)
            await tab.goto(await app.asked(registered, uri))
            async with tab.expect_event("request", lambda request, uri=uri: request.url.startswith(uri)) as going:
                await tab.get_by_role("button", name="Allow").click(no_wait_after=True)

            told = parse_qs(urlsplit((await going.value).url).query)
            assert (told["state"], told["iss"], len(told["code"])) == (["s"], [f"{app.url}/auth"], 1), kind
            await tab.close()
        assert refused == []


async def test_two_tabs_a_page_that_was_left_and_a_denial(browser: Browser) -> None:
    async with service() as app, opened(browser) as page:
        back = f"{app.url.replace('localhost', '127.0.0.1')}/cb"
        first = await app.asked(back, scope="notes:read")
        await page.goto(first)
        await log_in(page)
        other = await page.context.new_page()
        await other.goto(await app.asked(back, state="t"))
        await page.get_by_role("button", name="Allow").click()
        await page.wait_for_url(f"{back}?code=*")
        await other.get_by_role("button", name="Deny").click()
        await other.wait_for_url(f"{back}?error=access_denied&state=t*")

        await page.go_back()
        await expect(page.get_by_role("heading", name="Connect a program")).to_be_visible()
        await expect(page.get_by_text("allowed before")).to_be_visible()
        await page.get_by_role("button", name="Allow").click()
        await page.wait_for_url(f"{back}?code=*")
        await page.goto(first)
        await page.get_by_role("button", name="Not you? Log out").click()
        await log_in(page)
        await expect(page.get_by_text("Read your notes")).to_be_visible()


#: Puts an image, a script and a stylesheet of another site into the page, and waits until all have failed. No frame is
#: among them: Chromium connects for one before it reads the policy, and then asks for nothing.
TAGS = """(url) => Promise.all(['img', 'script', 'link'].map((tag) => new Promise((done) => {
  const made = document.createElement(tag);
  made.onload = made.onerror = done;
  if (tag === 'link') made.rel = 'stylesheet', made.href = url; else made.src = url;
  document.body.append(made);
})))"""


async def test_browsers_load_nothing_of_a_client(browser: Browser) -> None:
    async with listening() as listener:
        outgoing = InProcess(hosts={"https://claude.example": Site(DOCUMENT | listener.links)})
        async with service(outgoing) as app, opened(browser) as page:
            await page.goto(app.request_of(URL, HOSTED))
            await log_in(page)
            await expect(page.get_by_text("The program is that of claude.example.")).to_be_visible()
            for url in listener.links.values():
                await page.evaluate(TAGS, url)
            await page.goto(f"{app.url}/auth/account", wait_until="networkidle")

            assert listener.connections == 0


@pytest.mark.parametrize("same_site", ["lax", "strict"])
async def test_another_site_links_to_a_request_and_frames_none(browser: Browser, same_site: str) -> None:
    async with service(cookie_same_site=same_site) as app, opened(browser) as page:
        asked = await app.asked("https://client.example/cb")
        await page.goto(asked)
        await log_in(page)

        async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
            link = asked.replace("&", "&amp;")
            await HTMLResponse(f'<a href="{link}">go</a><iframe src="{link}"></iframe>')(scope, receive, send)

        async with served(elsewhere) as other:
            await page.goto(other)
            frame = page.frames[1]
            assert await frame.locator("form").count() == 0
            assert frame.url.startswith("chrome-error:")
            await page.get_by_text("go").click()
            await expect(page.get_by_role("button", name="Allow")).to_be_visible()
            assert page.url.startswith(f"{app.url}/auth/authorize?")


async def test_firefox_goes_on_to_a_client_that_was_let_in(browsers: dict[str, Any]) -> None:
    async with service() as app, firefox_profile(browsers["firefox"]) as opened_tab:
        tab, back = await opened_tab(), f"{app.url.replace('localhost', '127.0.0.1')}/cb"

        async def until(url: str) -> str:
            here = ""
            while not here.startswith(url):
                await asyncio.sleep(0.05)
                here = str(await tab.run("return document.readyState === 'complete' ? location.href : ''"))
            return here

        async with asyncio.timeout(60):
            await tab.open(await app.asked(back))
            for name, value in (("email", EMAIL), ("password", PASSWORD)):
                await tab.run(f"document.querySelector('#login-{name}').value = '{value}'")
            await tab.run("document.querySelector('#login-password').form.requestSubmit()")
            await until(f"{app.url}/auth/authorize?")
            await tab.run("[...document.querySelectorAll('button')].find((each) => each.value === 'allow').click()")
            told = parse_qs(urlsplit(await until(f"{back}?code=")).query)

        assert (told["state"], told["iss"], len(told["code"])) == (["s"], [f"{app.url}/auth"], 1)


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
async def test_the_page_looks_right_and_is_answered_by_keys(
    browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    view: dict[str, Any] = {"viewport": {"width": width, "height": 740}, "color_scheme": scheme, "bypass_csp": True}
    async with service() as app, opened(browser, **view, locale="de-DE") as page:
        await page.add_init_script(SHIFTS)
        long = f"https://{'a-rather-long-name.' * 6}example.com/{'x' * 200}"
        await page.goto(await app.asked(long))
        await page.fill("#login-email", EMAIL)
        await page.fill("#login-password", PASSWORD)
        await page.click("button.primary")
        await page.wait_for_url("**/authorize*")
        await examine(page)
        back = f"{app.url.replace('localhost', '127.0.0.1')}/cb"
        await page.goto(await app.asked(back))
        names = []
        for _ in range(12):
            await page.keyboard.press("Tab")
            names.append(await page.evaluate("document.activeElement.innerText"))
            if names[-1] == "Ablehnen":
                break
        assert names[-2:] == ["Erlauben", "Ablehnen"]
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{back}?error=access_denied*")
        await page.goto(f"{app.url}/auth/account")
        await examine(page)
