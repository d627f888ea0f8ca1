"""Tabs of a browser that run scripts: the same for Chromium and Firefox."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from playwright.async_api import Browser, Page

from tests.browser.firefox import Firefox


class Tab(Protocol):
    """A tab."""

    async def open(self, url: str) -> None:
        """Open a page, and wait until it has loaded."""

    async def run(self, script: str) -> Any:
        """Run the body of an async function in the page; return what it returns, as JSON. Raises RuntimeError."""

    async def close(self) -> None:
        """Close the tab."""


#: Opens a tab of one profile: all its tabs share cookies and storage.
Profile = Callable[[], Awaitable[Tab]]


def _whole(script: str) -> str:
    """The script as an expression: its result as JSON, or its error as a text."""
    return (
        f"(async () => {{ {script} }})()"
        ".then((value) => JSON.stringify({ value: value ?? null }),"
        " (error) => JSON.stringify({ error: `${error?.code ?? error?.name}: ${error?.message} ${error?.stack}` }))"
    )


def _read(text: str) -> Any:
    found = json.loads(text)
    if "error" in found:
        raise RuntimeError(found["error"])
    return found["value"]


@dataclass
class ChromiumTab:
    """A page of Playwright."""

    page: Page

    async def open(self, url: str) -> None:
        await self.page.goto(url)

    async def run(self, script: str) -> Any:
        return _read(await self.page.evaluate(_whole(script)))

    async def close(self) -> None:
        await self.page.close()


@dataclass
class FirefoxTab:
    """A browsing context of WebDriver BiDi."""

    browser: Firefox
    context: str

    async def open(self, url: str) -> None:
        await self.browser.tell("browsingContext.navigate", context=self.context, url=url, wait="complete")

    async def run(self, script: str) -> Any:
        answer = await self.browser.tell(
            "script.evaluate", expression=_whole(script), awaitPromise=True, target={"context": self.context}
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return _read(answer["result"]["value"])

    async def close(self) -> None:
        await self.browser.tell("browsingContext.close", context=self.context)


@asynccontextmanager
async def chromium_profile(browser: Browser) -> AsyncIterator[Profile]:
    """A new profile of Chromium."""
    async with await browser.new_context() as context:

        async def opened() -> Tab:
            return ChromiumTab(await context.new_page())

        yield opened


@asynccontextmanager
async def firefox_profile(browser: Firefox) -> AsyncIterator[Profile]:
    """A new profile of Firefox."""
    user = (await browser.tell("browser.createUserContext"))["userContext"]

    async def opened() -> Tab:
        made = await browser.tell("browsingContext.create", type="tab", userContext=user, background=True)
        return FirefoxTab(browser, made["context"])

    try:
        yield opened
    finally:
        await browser.tell("browser.removeUserContext", userContext=user)
