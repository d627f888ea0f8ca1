"""The example `shop` in Chromium: a visitor's cart becomes an order of a new user, which the staff sees."""

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.browser.examples import length, served, variables
from tests.browser.test_walk import address, visitor
from tests.browser.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")
LANTERNS = "2 \N{MULTIPLICATION SIGN} Storm lantern"


async def test_it_is_short() -> None:
    assert length("shop") < 150


def make_staff(email: str, folder: Path, url: str) -> None:
    """Make a user of the staff, as the docstring of the shop says."""
    arguments = ["create-user", email, "--role", "staff", "--password-stdin"]
    command = [sys.executable, "-m", "asgi_auth", *arguments]
    subprocess.run(command, env=variables("shop", folder, url), input=PASSWORD, text=True, check=True, timeout=60)


async def fills_a_cart(ada: Visitor) -> None:
    """Put goods into the cart as a visitor without an account."""
    await ada.page.goto(ada.url)
    for name in ("Storm lantern", "Storm lantern", "Spare wick"):
        await ada.page.get_by_role("button", name=f"Add: {name}").click()
    await expect(ada.page.get_by_role("listitem").filter(has_text=LANTERNS)).to_contain_text("98 €")


async def sees_the_look_of_the_shop(ada: Visitor) -> None:
    """The pages of the library have the logo, the menu and the colors of the shop."""
    logo = ada.page.get_by_role("img", name="Lantern & Co.")
    await expect(logo).to_have_js_property("complete", value=True)
    assert await logo.evaluate("image => image.naturalWidth") > 0
    await expect(ada.page.get_by_role("navigation").get_by_role("link", name="Your orders")).to_be_visible()
    await expect(ada.page.locator("button.primary")).to_have_css("background-color", "rgb(152, 66, 10)")


async def test_a_visitor_registers_at_the_checkout_and_buys(browser: Browser, tmp_path: Path) -> None:
    email, of_staff = address(), address()
    with served("shop", tmp_path) as url:
        async with visitor(browser, url) as ada, visitor(browser, url) as grace:
            await fills_a_cart(ada)
            await ada.page.get_by_role("link", name="Check out").click()
            assert ada.place == "/auth/login"
            await sees_the_look_of_the_shop(ada)
            await ada.page.get_by_role("link", name="No account yet? Create one").click()
            await ada.send("register", email=email, password=PASSWORD)
            await ada.sees("Your account is ready.")
            await ada.send("login", email=email, password=PASSWORD)
            assert ada.place == "/checkout"
            await ada.press(f"Buy as {email}")
            assert ada.place == "/orders"
            await ada.sees(LANTERNS)
            await ada.page.goto(url)
            await expect(ada.page.get_by_role("heading", name="Your cart")).to_have_count(0)
            refused = await ada.page.goto(f"{url}/staff")
            assert refused is not None
            assert (refused.status, ada.place) == (403, "/staff")

            make_staff(of_staff, tmp_path, url)
            await grace.page.goto(f"{url}/staff")
            assert urlsplit(grace.page.url).query.startswith("next=%2Fstaff")
            await grace.send("login", email=of_staff, password=PASSWORD)
            await grace.sees(email)
            await grace.page.get_by_role("link", name="Your orders").click()
            await grace.sees("No orders yet.")
