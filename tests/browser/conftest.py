"""Fixtures of the browsers' tests: both browsers, and the apps, once for all tests of a process."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser import client_tabs
from tests.browser.chromium import chromium, served
from tests.browser.firefox import Firefox, firefox
from tests.storage.conftest import Servers

Serve = Callable[[str], str]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def serve(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Give the address of the app on a database by its name; started when it is first asked for."""
    addresses: dict[str, str] = {}
    with ExitStack() as stack:

        def address(database: str) -> str:
            if database not in addresses:
                on_file = f"sqlite:///{tmp_path_factory.mktemp('browser')}/auth.db"
                url = on_file if database == "sqlite" else servers.get(database).database()
                addresses[database] = stack.enter_context(served(url))
            return addresses[database]

        yield address


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[client_tabs.Site]:
    """The app of the client for browsers, on its two ports."""
    with client_tabs.served(tmp_path_factory.mktemp("client")) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browsers(browser: Browser) -> AsyncIterator[dict[str, Browser | Firefox]]:
    """Chromium and Firefox."""
    async with firefox() as other:
        yield {"chromium": browser, "firefox": other}
