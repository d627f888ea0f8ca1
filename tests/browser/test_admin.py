"""The pages of administration in Chromium, on both databases, with and without JavaScript: invite, ban, unban."""

from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Serve
from tests.browser.test_look import LOOKS, SHIFTS, examine
from tests.browser.test_second_factors import set_up, verified
from tests.browser.test_walk import address, visitor
from tests.browser.visitor import PASSWORD, Visitor
from tests.variants import crossed

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def administrator(ada: Visitor) -> str:
    """Register as an administrator with a second factor; return the address."""
    email = await verified(ada)
    await set_up(ada)
    answer = await ada.page.request.post(f"{ada.url}/auth/promote", headers={"origin": ada.url}, data={})
    assert answer.status == 204
    return email


async def invites(ada: Visitor, email: str) -> None:
    """Find the administration on the account page, and invite a user."""
    await ada.open("account")
    await ada.page.get_by_role("link", name="All users").click()
    await ada.page.get_by_role("link", name="New user").click()
    await expect(ada.page.locator("#create_user-email")).to_be_focused()
    await expect(ada.page.locator("#create_user-invite")).to_be_checked()
    await ada.send("create_user", email=email)
    await ada.sees("The user was created.")


@pytest.mark.parametrize(("javascript", "database"), crossed({"js": True, "no-js": False}, ["sqlite", "postgres18"]))
async def test_a_user_is_invited_banned_and_unbanned(
    browser: Browser,
    serve: Serve,
    database: str,
    javascript: bool,  # noqa: FBT001 (pytest gives it)
) -> None:
    url, email = serve(database), address()
    async with (
        visitor(browser, url, java_script_enabled=javascript) as ada,
        visitor(browser, url, java_script_enabled=javascript) as bob,
    ):
        await administrator(ada)
        await invites(ada, email)
        await bob.open(f"accept-invitation?token={(await ada.mail('invitation', email))['token']}")
        await bob.send("accept_invitation", new_password=PASSWORD)
        await bob.log_in(email)

        await ada.open("admin")
        await ada.page.fill("#search", email)
        await ada.page.press("#search", "Enter")
        await ada.page.get_by_role("link", name=email).click()
        await ada.sees("Chrome on")
        await ada.page.fill("#disable_user-until", "2099-01-01T00:00")
        await ada.send("disable_user", reason="Spam")
        await ada.sees("2099-01-01 00:00 UTC")
        await bob.open("account")
        assert bob.place == "/auth/login"
        await ada.press("Enable account")
        await ada.sees("The account is open again.")
        await bob.log_in(email)
        await ada.page.reload()
        await ada.press("Delete user")
        if javascript:
            assert await ada.page.evaluate("document.querySelector('#delete-sure').matches(':focus')")
        await ada.sees(email)
        await ada.page.check("#delete-sure")
        await ada.press("Delete user")
        await ada.sees("The user was deleted.")


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
async def test_its_pages_are_accessible(
    browser: Browser, serve: Serve, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme, bypass_csp=True)
    async with context:
        ada = Visitor(await context.new_page(), serve("sqlite"))
        await ada.page.add_init_script(SHIFTS)
        email = await administrator(ada)
        await ada.open("account")
        await examine(ada.page)
        await invites(ada, f"a-rather-long-address-of-a-user-{address()[4:10]}@subdomain.of.example.com")
        await examine(ada.page)
        await ada.page.fill("#disable_user-until", "2099-01-01T00:00")
        await ada.send("disable_user", reason="Spam")
        await examine(ada.page)
        await ada.page.get_by_role("link", name="All events").click()
        await examine(ada.page)
        await ada.open("admin/users/new")
        await ada.send("create_user", email=email)
        await examine(ada.page)
        for path in ("admin", "admin?search=nobody"):
            await ada.open(path)
            await examine(ada.page)
