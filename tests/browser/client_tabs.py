"""What the tests of the client for browsers share: the app, both browsers, and what is done in a tab."""

import asyncio
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from tests.browser.firefox import Firefox
from tests.browser.tabs import Profile, Tab, chromium_profile, firefox_profile
from tests.cluster import await_answer, free_port
from tests.support import PASSWORD

#: Seconds after which an access token has expired, and a session has not.
LATER = 1000


@dataclass
class Site:
    """The app on its two ports."""

    url: str
    other: str


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """Run the app in a process of its own, on a database in a folder."""
    ports = {"PORT": str(free_port()), "OTHER_PORT": str(free_port())}
    url, other = (f"http://localhost:{port}" for port in ports.values())
    database = f"sqlite:///{folder}/auth.db"
    environment = {**os.environ, **ports, "AUTH_DATABASE_URL": database}
    with subprocess.Popen([sys.executable, "-m", "tests.browser.client_app"], env=environment) as process:
        try:
            await_answer(url)
            await_answer(other)
            yield Site(url, other)
        finally:
            process.terminate()


@asynccontextmanager
async def profile(browser: Browser | Firefox) -> AsyncIterator[Profile]:
    """A new profile of one of both browsers."""
    async with firefox_profile(browser) if isinstance(browser, Firefox) else chromium_profile(browser) as opened:
        yield opened


def made(transport: str, **options: Any) -> str:
    """The script that makes a client, and notes the users that it hears of."""
    more = "".join(f", {name}: {value}" for name, value in options.items())
    return (
        f"globalThis.{transport} = createClient({{ transport: '{transport}'{more} }});"
        f"globalThis.heard ??= {{}}; heard.{transport} = [];"
        f"{transport}.onChange((user) => heard.{transport}.push(user?.email ?? null));"
    )


async def tab_of(opened: Profile, url: str, *transports: str) -> Tab:
    """A tab with a client for each transport."""
    tab = await opened()
    await tab.open(url)
    await tab.run("while (!globalThis.isReady) await new Promise((done) => setTimeout(done, 5));")
    await tab.run("".join(made(transport) for transport in transports))
    return tab


async def registers(tab: Tab, *transports: str) -> str:
    """Register an account that is logged in at once."""
    email = f"ada-{secrets.token_hex(6)}@example.com"
    account = f"{{ email: '{email}', password: '{PASSWORD}' }}"
    first, *others = transports
    await tab.run(f"await {first}.register({account});" + "".join(f"await {each}.login({account});" for each in others))
    return email


async def probe(tab: Tab, **values: Any) -> dict[str, Any]:
    """Change the probe of the server, and return what it has seen."""
    sent = ", ".join(
        f"{name}: {str(value).lower() if isinstance(value, bool) else value}" for name, value in values.items()
    )
    found: dict[str, Any] = await tab.run(
        f"const told = {{ method: 'POST', body: JSON.stringify({{ {sent} }}), credentials: 'omit' }};"
        "return (await fetch('/probe', told)).json();"
    )
    return found


async def passes(*tabs: Tab) -> None:
    """Let the time pass in which access tokens expire, in the browser and at the server."""
    await probe(tabs[0], ahead=(await probe(tabs[0]))["ahead"] + LATER)
    for tab in tabs:
        await tab.run(f"const now = Date.now; Date.now = () => now() + {LATER}000;")


async def heard(tab: Tab, transport: str, *expected: str | None) -> None:
    """Wait until the last users that a tab has heard of are these."""
    for _ in range(400):
        found = await tab.run(f"return heard.{transport};")
        if found[-len(expected) :] == list(expected):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(found)


async def passes_at_the_server(tab: Tab) -> None:
    """Let the time pass at the server alone: the clock of the browser is behind, or it has slept."""
    await probe(tab, ahead=(await probe(tab))["ahead"] + LATER)


async def seen(tab: Tab, script: str) -> tuple[Any, list[str], int]:
    """Run a script; return its result, what it asked the API of the host, and the number of renewals."""
    before = (await probe(tab, seen="[]"))["refreshes"]
    result = await tab.run(script)
    after = await probe(tab)
    return result, after["seen"], after["refreshes"] - before
