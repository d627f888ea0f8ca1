"""A person before a browser: opens pages, fills in forms, reads mails."""

import asyncio
import json
from urllib.parse import urlsplit

from playwright.async_api import Page, expect

PASSWORD = "violet harbour lantern"


class Visitor:
    """A visitor of the app."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    @property
    def place(self) -> str:
        """The path of the page that is shown."""
        return urlsplit(self.page.url).path

    async def open(self, path: str) -> None:
        """Type an address; open all parts of the account page."""
        await self.page.goto(f"{self.url}/auth/{path}")
        if path == "account":
            await self.unfold()

    async def send(self, form: str, **values: str) -> None:
        """Fill in a form and press its button."""
        await self.unfold()
        for name, value in values.items():
            await self.page.fill(f"#{form}-{name}", value)
        button = self.page.locator(f"form:has(#{form}-{next(iter(values))}) > button")
        await button.click()

    async def unfold(self) -> None:
        """Open all parts of the account page, if this is one."""
        await self.page.wait_for_load_state()
        closed = self.page.locator("details.group:not([open]) > summary")
        while await closed.count():
            await closed.first.click()

    async def press(self, name: str) -> None:
        """Press the first button of a name."""
        await self.unfold()
        await self.page.get_by_role("button", name=name).first.click()

    async def sees(self, text: str) -> None:
        """Expect a text on the page."""
        await expect(self.page.get_by_text(text).first).to_be_visible()

    async def mail(self, purpose: str, to: str) -> dict[str, str]:
        """Read the last mail of a kind, as soon as it has come."""
        for _ in range(100):
            answer = await self.page.request.get(f"{self.url}/auth/outbox")
            mails: list[dict[str, str]] = json.loads(await answer.text())
            if found := [mail for mail in mails if (mail["purpose"], mail["to"]) == (purpose, to)]:
                return found[-1]
            await asyncio.sleep(0.05)
        raise TimeoutError(f"no {purpose} came")

    async def register(self, email: str, password: str = PASSWORD) -> None:
        """Register, up to the page that wants the code of the mail."""
        await self.open("register")
        await self.send("register", email=email, display_name="Ada", password=password)
        assert self.place == "/auth/verify-email", self.page.url

    async def log_in(self, email: str, password: str = PASSWORD) -> None:
        """Log in, up to the account page; a visitor who is logged in is there already."""
        await self.open("login")
        if self.place == "/auth/login":
            await self.send("login", email=email, password=password)
        assert self.place == "/auth/account", self.page.url
