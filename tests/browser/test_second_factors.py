"""The life of a second factor in Chromium, on both databases, with codes of another program and a QR code read back."""

import base64
import re
import subprocess
import time
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Serve
from tests.browser.test_look import LOOKS, look
from tests.browser.test_walk import address, visitor
from tests.browser.visitor import PASSWORD, Visitor
from tests.variants import crossed, more

pytestmark = pytest.mark.asyncio(loop_scope="session")


def code_of(secret: str, steps: int = 0) -> str:
    """The code of a key, by oathtool."""
    at = f"@{int(time.time()) + 30 * steps}"
    command = ["oathtool", "--totp", "-b", "-N", at, secret]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def text_in(picture: Path) -> str:
    """The text of the QR code in a picture, by zbarimg."""
    command = ["zbarimg", "-q", "--raw", str(picture)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


async def verified(ada: Visitor) -> str:
    email = address()
    await ada.register(email)
    await ada.send("verify_email", code=(await ada.mail("verify_email", email))["code"])
    await ada.log_in(email)
    return email


async def set_up(ada: Visitor) -> str:
    """Show the key, and turn codes on; return the key."""
    await ada.open("account")
    await ada.page.get_by_role("link", name="Set up an authenticator app").click()
    await ada.press("Show the key")
    secret = (await ada.page.locator("code").inner_text()).replace(" ", "")
    await ada.send("totp_turn_on", code=code_of(secret))
    return secret


async def begin(ada: Visitor, email: str) -> None:
    await ada.open("login")
    await ada.send("login", email=email, password=PASSWORD)
    await ada.sees("One more step")


@pytest.mark.parametrize(("javascript", "database"), crossed({"js": True, "no-js": False}, ["sqlite", "postgres15"]))
async def test_the_whole_life(browser: Browser, serve: Serve, database: str, javascript: bool) -> None:  # noqa: FBT001 (pytest gives it)
    async with visitor(browser, serve(database), java_script_enabled=javascript) as ada:
        email = await verified(ada)
        secret = await set_up(ada)
        await ada.open("account")
        await ada.sees("A login asks for a code of your app.")
        await ada.page.get_by_role("link", name="Get new recovery codes").click()
        await ada.press("Show new codes")
        await expect(ada.page.locator(".codes code")).to_have_count(8)
        codes = await ada.page.locator(".codes code").all_inner_texts()
        assert len({*codes}) == 8

        await ada.page.context.clear_cookies()
        await begin(ada, email)
        await expect(ada.page.locator("#totp_login-code")).to_be_focused()
        await ada.send("totp_login", code="000000")
        await ada.sees("The code is wrong, or was used before.")
        await ada.send("totp_login", code=code_of(secret, 1))
        await ada.sees("Your account")

        await ada.page.context.clear_cookies()
        await begin(ada, email)
        await ada.send("recovery_code_login", code=codes[0].lower().replace("-", " "))
        await ada.unfold()
        await ada.sees("Codes that are left: 7.")
        assert (await ada.mail("recovery_code_used", email))["to"] == email

        await ada.press("Turn off")
        await ada.sees("The second step is turned off.")
        assert (await ada.mail("factor_removed", email))["to"] == email
        await ada.page.context.clear_cookies()
        await ada.log_in(email)


async def test_wrong_codes_pause_the_app_and_a_recovery_code_opens(browser: Browser, serve: Serve) -> None:
    async with visitor(browser, serve("sqlite")) as ada:
        email = await verified(ada)
        await set_up(ada)
        await ada.open("recovery-codes/new")
        await ada.press("Show new codes")
        await expect(ada.page.locator(".codes code")).to_have_count(8)
        codes = await ada.page.locator(".codes code").all_inner_texts()
        await ada.page.context.clear_cookies()
        for _ in range(2):
            await begin(ada, email)
            for _ in range(5):
                await ada.send("totp_login", code="000000")
        await begin(ada, email)
        await ada.send("totp_login", code="000000")
        await ada.sees("Too many")
        assert (await ada.mail("factor_paused", email))["to"] == email
        await ada.send("recovery_code_login", code=codes[0])
        await ada.sees("Your account")


@pytest.mark.parametrize("scheme", [more("light"), "dark"])
async def test_the_picture_of_the_key_is_read_back_from_the_page(
    browser: Browser, serve: Serve, scheme: Literal["light", "dark"], tmp_path: Path
) -> None:
    async with visitor(browser, serve("sqlite"), color_scheme=scheme, viewport={"width": 360, "height": 740}) as ada:
        email = await verified(ada)
        await ada.open("totp/setup")
        await ada.press("Show the key")
        secret = (await ada.page.locator("code").inner_text()).replace(" ", "")
        picture = tmp_path / "page.png"
        await ada.page.screenshot(path=picture, full_page=True)

        uri = urlsplit(text_in(picture))

        assert (uri.scheme, parse_qs(uri.query)["secret"]) == ("otpauth", [secret])
        assert uri.path.endswith(":" + email.replace("@", "%40"))
        assert len(base64.b32decode(secret)) == 20
        assert re.fullmatch(r"[0-9]{6}", code_of(secret))


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
async def test_its_pages_are_accessible(
    browser: Browser, serve: Serve, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme, bypass_csp=True)
    async with context:
        ada = Visitor(await context.new_page(), serve("sqlite"))
        email = await verified(ada)
        await ada.open("totp/setup")
        await look(ada.page)
        await ada.press("Show the key")
        await look(ada.page)
        secret = (await ada.page.locator("code").inner_text()).replace(" ", "")
        await ada.send("totp_turn_on", code=code_of(secret))
        await ada.open("recovery-codes/new")
        await ada.press("Show new codes")
        await look(ada.page)
        for path in ("account", "reauthenticate", "set-password"):
            await ada.open(path)
            await look(ada.page)
        await context.clear_cookies()
        await begin(ada, email)
        await look(ada.page)
