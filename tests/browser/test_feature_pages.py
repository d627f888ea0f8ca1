"""The pages of a feature of a host's own: its picture, its script and its section, under the policy of the pages."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from tests.browser.chromium import served
from tests.browser.test_look import LOOKS, look
from tests.browser.test_walk import address, visitor
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")
#: The name of the element that is painted where the first square of the picture is.
SQUARE = """() => {
    const {x, y} = document.querySelector("svg path").getBoundingClientRect();
    return document.elementFromPoint(x + 1, y + 1).tagName;
}"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database = tmp_path_factory.mktemp("nicknames") / "auth.db"
    with served(f"sqlite:///{database}", WITH_NICKNAMES="yes") as started:
        yield started


async def registered(ada: Visitor) -> str:
    email = address()
    await ada.register(email)
    await ada.send("verify_email", code=(await ada.mail("verify_email", email))["code"])
    await ada.log_in(email)
    return email


@pytest.mark.parametrize("javascript", [True, False], ids=["js", "no-js"])
async def test_a_key_is_shown_once_and_logs_in(browser: Browser, url: str, javascript: bool) -> None:  # noqa: FBT001 (pytest gives it)
    async with visitor(browser, url, java_script_enabled=javascript) as ada:
        await registered(ada)
        await ada.open("nickname")
        await expect(ada.page.locator("#choose_nickname-name")).to_be_focused()
        name = f"Ada {address()[4:10]}"
        await ada.send("choose_nickname", name=name)
        key = await ada.page.locator("code.key").inner_text()
        await expect(ada.page.locator("svg path").first).to_be_visible()
        if javascript:
            await ada.page.locator("code.key").click()
            assert await ada.page.evaluate("getSelection().toString()") == key
            assert await ada.page.evaluate(SQUARE) == "path"
        await ada.open("account")
        await ada.sees(f"You are called {name}.")
        await ada.press("Log out")
        await ada.page.get_by_role("link", name="Log in with your nickname").click()
        await ada.send("nickname_login", name=name, key=key)
        await ada.sees(f"You are called {name}.")
        await ada.press("Give it up")
        await ada.sees("You have no nickname.")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
async def test_its_pages_are_accessible(
    browser: Browser, url: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme=scheme, bypass_csp=True, locale="de-DE"
    )
    async with context:
        ada = Visitor(await context.new_page(), url)
        await ada.open("nickname/login")
        await look(ada.page)
        await registered(ada)
        await ada.open("nickname")
        await ada.send("choose_nickname", name=f"Ada {address()[4:10]}")
        await look(ada.page)
        await ada.open("account")
        await look(ada.page)
