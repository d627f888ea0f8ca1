"""Real people's ways through the pages: Chromium, a real server, both databases, with and without JavaScript."""

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Request, expect

from tests.browser.conftest import Serve
from tests.browser.visitor import PASSWORD, Visitor
from tests.variants import crossed

pytestmark = pytest.mark.asyncio(loop_scope="session")
NEW = "copper meadow umbrella"


@asynccontextmanager
async def visitor(browser: Browser, url: str, **options: Any) -> AsyncIterator[Visitor]:
    """A visitor with a browser, which reports everything that the policy of our pages forbids."""
    async with await browser.new_context(**options) as context:
        context.set_default_timeout(15_000)
        page = await context.new_page()
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text) if "Security Policy" in message.text else None)
        page.on("pageerror", lambda error: refused.append(str(error)))
        yield Visitor(page, url)
        assert refused == []


def address() -> str:
    return f"ada-{secrets.token_hex(6)}@example.com"


@pytest.mark.parametrize(("javascript", "database"), crossed({"js": True, "no-js": False}, ["sqlite", "postgres18"]))
async def test_the_life_of_an_account(browser: Browser, serve: Serve, database: str, javascript: bool) -> None:  # noqa: FBT001 (pytest gives it)
    url, email, other_email = serve(database), address(), address()
    async with (
        visitor(browser, url, java_script_enabled=javascript) as ada,
        visitor(browser, url, java_script_enabled=javascript, user_agent="Firefox/140.0 Linux") as phone,
    ):
        await registers(ada, email)
        await logs_in_and_changes_the_profile(ada, email)
        await ends_the_session_of_a_second_browser(ada, phone, email)
        await changes_the_password(ada, phone, email)
        await chooses_a_forgotten_password(phone, email)
        await ada.log_in(email)
        await changes_the_address_and_logs_in_by_mail(ada, other_email)
        await takes_the_data_and_closes_the_account(ada, phone, other_email)


async def registers(ada: Visitor, email: str) -> None:
    """Register, with a mistake; confirm by the code of the mail."""
    await ada.open("register")
    await ada.send("register", email=email, display_name="Ada", password="password1")
    await ada.sees("too common and easy to guess")
    await expect(ada.page.locator("#register-password")).to_be_focused()
    await expect(ada.page.locator("#register-email")).to_have_value(email)
    await ada.send("register", password=PASSWORD)
    await ada.sees(f"Look for the mail to {email}")
    await ada.send("verify_email", code=(await ada.mail("verify_email", email))["code"])
    await ada.sees("Your email address is confirmed.")
    await ada.press("Log out")
    await ada.sees("You are logged out.")


async def logs_in_and_changes_the_profile(ada: Visitor, email: str) -> None:
    """Log in, with a mistake; change the profile."""
    await ada.send("login", email=email, password="wrong")
    await ada.sees("The address or the password is wrong.")
    await expect(ada.page.locator("#login-password")).to_be_focused()
    await ada.send("login", password=PASSWORD)
    await ada.sees(email)
    await ada.page.check("#update_me-newsletter")
    await ada.send("update_me", display_name="Countess", year_of_birth="1815")
    await ada.sees("Saved.")
    await expect(ada.page.locator("#update_me-display_name")).to_have_value("Countess")
    await expect(ada.page.locator("#update_me-newsletter")).to_be_checked()


async def ends_the_session_of_a_second_browser(ada: Visitor, phone: Visitor, email: str) -> None:
    """A second browser is seen, and its session ended."""
    await phone.log_in(email)
    await ada.open("account")
    await expect(ada.page.locator(".sessions li")).to_have_count(2)
    await ada.press("End: Firefox on Linux")
    await ada.sees("The device is logged out.")
    await phone.open("account")
    assert phone.place == "/auth/login"


async def changes_the_password(ada: Visitor, phone: Visitor, email: str) -> None:
    """Change the password, with a mistake; only the new one is good."""
    await ada.send("change_password", current_password="wrong", new_password=NEW)
    await ada.sees("The password is wrong.")
    await expect(ada.page.locator("#change_password-current_password")).to_be_focused()
    await ada.send("change_password", current_password=PASSWORD, new_password=NEW)
    await ada.sees("Your password has been changed.")
    await phone.open("login")
    await phone.send("login", email=email, password=PASSWORD)
    await phone.sees("The address or the password is wrong.")


async def chooses_a_forgotten_password(phone: Visitor, email: str) -> None:
    """Forgotten: choose another by the link of the mail."""
    await phone.page.get_by_role("link", name="Forgot your password?").click()
    await phone.send("forgot_password", email=email)
    await phone.open(f"reset-password?token={(await phone.mail('reset_password', email))['token']}")
    await phone.send("reset_password", new_password=PASSWORD)
    await phone.log_in(email)


async def changes_the_address_and_logs_in_by_mail(ada: Visitor, email: str) -> None:
    """Change the address; log in by mail with the new one."""
    await ada.open("account")
    await ada.send("change_email", new_email=email, password=PASSWORD)
    await ada.send("confirm_email_change", code=(await ada.mail("change_email", email))["code"])
    await ada.sees(email)
    await ada.press("Log out")
    await ada.sees("You are logged out.")
    await ada.page.get_by_role("link", name="Log in by mail instead").click()
    await ada.send("magic_link", email=email)
    await ada.open(f"magic-link/login?token={(await ada.mail('magic_link', email))['token']}")
    await ada.press("Log in")
    await ada.sees(email)


async def takes_the_data_and_closes_the_account(ada: Visitor, phone: Visitor, email: str) -> None:
    """Take the data, log out everywhere, come back, and close the account."""
    await ada.unfold()
    async with ada.page.expect_download() as download:
        await ada.page.get_by_role("link", name="Download").click()
    exported = json.loads((await (await download.value).path()).read_text())
    assert exported["user"]["email"] == email
    await ada.press("Log out everywhere")
    await phone.open("account")
    assert phone.place == "/auth/login"
    await ada.log_in(email)
    await ada.send("close_account", password=PASSWORD)
    await ada.sees("Your account is closed.")
    await ada.send("login", email=email, password=PASSWORD)
    await ada.sees("This account is disabled.")


async def test_by_keyboard_alone(browser: Browser, serve: Serve) -> None:
    async with visitor(browser, serve("sqlite")) as ada:
        email = address()
        await ada.register(email)
        await ada.open("login")
        keyboard = ada.page.keyboard

        # The cursor stands in the first field; Enter sends.
        await expect(ada.page.locator("#login-email")).to_be_focused()
        await keyboard.type(email)
        await keyboard.press("Tab")
        await keyboard.type(PASSWORD)
        await keyboard.press("Tab")
        assert await focused(ada) == "Show"
        await keyboard.press("Space")
        await expect(ada.page.locator("#login-password")).to_have_attribute("type", "text")
        await keyboard.press("Tab")
        assert await focused(ada) == "Forgot your password?"
        await keyboard.press("Tab")
        assert await focused(ada) == "Log in"
        await keyboard.press("Enter")
        await ada.page.wait_for_url("**/account*")

        # Everything on the account page is reached, and seen to be; Enter opens its parts.
        reached = []
        for _ in range(50):
            await keyboard.press("Tab")
            if (name := await focused(ada)) == "":
                break
            if await ada.page.evaluate("document.activeElement.matches('details:not([open]) > summary')"):
                await keyboard.press("Enter")
            reached.append(name)
            assert await ada.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", name
        assert reached == [
            "Back to Lighthouse", "Log out",
            "Profile", "Confirm it", "display_name", "year_of_birth", "newsletter", "Save", "new_email", "password",
            "Show", "Change address",
            "Ways to log in", "current_password", "Show", "new_password", "Show", "Change password",
            "Add a passkey", "Set up an authenticator app", "Get new recovery codes",
            "Devices", "Log out everywhere",
            "Your data", "Download", "password", "Show", "Close account",
        ]  # fmt: skip
        while await focused(ada) != "Log out":
            await keyboard.press("Tab")
        await keyboard.press("Enter")
        await ada.sees("You are logged out.")


async def focused(ada: Visitor) -> str:
    """The name or text of the element that has the cursor; nothing for the page itself."""
    script = "e => e === document.body ? '' : e.name || (e.querySelector('.name') ?? e).textContent.trim()"
    return str(await ada.page.evaluate(f"({script})(document.activeElement)"))


async def test_the_show_button_is_there_with_javascript_only(browser: Browser, serve: Serve) -> None:
    async with visitor(browser, serve("sqlite"), java_script_enabled=False) as ada:
        await ada.open("login")
        await expect(ada.page.locator(".reveal")).to_be_hidden()
    async with visitor(browser, serve("sqlite")) as ada:
        await ada.open("login")
        secret, button = ada.page.locator("#login-password"), ada.page.locator(".reveal")
        await button.click()
        await expect(secret).to_have_attribute("type", "text")
        await expect(button).to_have_text("Hide")
        await button.click()
        await expect(secret).to_have_attribute("type", "password")


async def test_a_form_tells_its_origin_and_no_page_tells_its_token(browser: Browser, serve: Serve) -> None:
    url = serve("sqlite")
    async with visitor(browser, url) as ada:
        seen: list[Request] = []
        ada.page.on("request", lambda request: seen.append(request))  # noqa: PLW0108 (Playwright wants a function)

        await ada.open("reset-password?token=secret-of-a-mail")
        await ada.sees("not valid any more")
        await ada.send("forgot_password", email=address())

        headers = [await request.all_headers() for request in seen]
        (sent,) = [item for item, request in zip(headers, seen, strict=True) if request.method == "POST"]
        assert (sent["origin"], sent["sec-fetch-site"]) == (url, "same-origin")
        assert {item.get("referer", "") for item in headers} == {"", f"{url}/"}


async def test_a_login_may_lead_to_an_allowed_site_and_to_no_other(browser: Browser, serve: Serve) -> None:
    url, email = serve("sqlite"), address()
    elsewhere = url.replace("localhost", "127.0.0.1")
    async with visitor(browser, url) as ada:
        await ada.register(email)
        for target, end in ((f"{elsewhere}/", f"{elsewhere}/"), (f"{elsewhere}/x", f"{url}/auth/account")):
            await ada.page.context.clear_cookies()
            await ada.open(f"login?next={target}")
            await ada.send("login", email=email, password=PASSWORD)
            assert ada.page.url == end


async def test_a_form_on_another_site_logs_no_one_in(browser: Browser, serve: Serve) -> None:
    url, email = serve("sqlite"), address()
    async with visitor(browser, url) as ada:
        await ada.register(email)
        evil = f"""<form method=post action="{url}/auth/login"><input name=email value="{email}">
            <input name=password value="{PASSWORD}"><button>Win</button></form>"""
        await ada.page.route("**/evil", lambda route: route.fulfill(body=evil, content_type="text/html"))
        await ada.page.goto(url.replace("localhost", "127.0.0.1") + "/evil")

        await ada.press("Win")

        await ada.sees("The request came from another site.")
        assert [cookie.get("name") for cookie in await ada.page.context.cookies()] == ["auth-asked"]


async def test_two_clicks_are_one(browser: Browser, serve: Serve) -> None:
    async with visitor(browser, serve("sqlite")) as ada:
        email = address()
        await ada.register(email)
        sent: list[str] = []
        ada.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
        await ada.open("magic-link")
        await ada.page.fill("#magic_link-email", email)
        await ada.page.dblclick("form > button")
        await ada.page.wait_for_url("**/magic-link/login?*")
        await ada.open(f"magic-link/login?token={(await ada.mail('magic_link', email))['token']}")

        await ada.page.dblclick("form > button")

        await ada.page.wait_for_url("**/account*")
        assert len(sent) == 2
        # A page that comes back by the browser's own button can be used.
        await ada.page.go_back()
        await expect(ada.page.locator("form > button").first).to_be_enabled()


async def test_the_link_of_a_mail_asks_who_is_not_logged_in_for_the_password(browser: Browser, serve: Serve) -> None:
    async with visitor(browser, serve("sqlite")) as ada:
        email = address()
        await ada.register(email)
        await ada.open(f"verify-email?token={(await ada.mail('verify_email', email))['token']}")

        await expect(ada.page.locator("#verify_email-password")).to_be_focused()
        await ada.send("verify_email", password="wrong")
        await ada.sees("The password is wrong.")
        await ada.send("verify_email", password=PASSWORD)

        await ada.sees("Your email address is confirmed.")
