"""The example `notes` in Chromium: two tabs of a user, and a restart of the server."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.examples import length, served
from tests.browser.test_walk import address
from tests.cluster import free_port
from tests.support import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def writes(page: Page, text: str) -> None:
    """Add a note."""
    await page.get_by_label("Note").fill(text)
    await page.get_by_role("button", name="Add").click()


async def test_it_is_short() -> None:
    assert length("notes") < 150


async def test_two_tabs_share_a_session_that_outlives_a_restart(browser: Browser, tmp_path: Path) -> None:
    port, email = free_port(), address()
    async with await browser.new_context() as context:
        context.set_default_timeout(15_000)
        page, other = await context.new_page(), await context.new_page()
        refused: list[str] = []
        for each in (page, other):
            each.on("console", lambda said: refused.append(said.text) if "Security Policy" in said.text else None)
            each.on("pageerror", lambda error: refused.append(str(error)))
        with served("notes", tmp_path, port) as url:
            await page.goto(url)
            await other.goto(url)
            await page.get_by_label("Email").fill(email)
            await page.get_by_label("Password").fill("short")
            await page.get_by_role("button", name="Register").click()
            await expect(page.get_by_role("alert")).to_contain_text("8 characters")
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Register").click()
            for each in (page, other):
                await expect(each.locator("#who")).to_have_text(email)
            await writes(page, "Buy a lantern")
            await expect(page.get_by_role("listitem")).to_have_text("Buy a lantern")
        await writes(page, "Light it")
        await expect(page.get_by_role("alert")).not_to_be_empty()
        await expect(page.locator("#who")).to_have_text(email)
        with served("notes", tmp_path, port):
            await page.get_by_role("button", name="Add").click()
            await expect(page.get_by_role("listitem")).to_have_text("Light it")
            await other.reload()
            await expect(other.get_by_role("listitem")).to_have_text("Light it")
            await page.get_by_role("button", name="Log out").click()
            for each in (page, other):
                await expect(each.get_by_label("Email")).to_be_visible()
                await expect(each.get_by_role("listitem")).to_have_count(0)
        assert refused == []
