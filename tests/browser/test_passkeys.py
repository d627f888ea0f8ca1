"""The ceremonies of passkeys in Chromium, with virtual authenticators."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, CDPSession, expect

from tests.browser.conftest import Serve
from tests.browser.test_look import look
from tests.browser.test_second_factors import begin, verified
from tests.browser.test_walk import address, visitor
from tests.browser.visitor import Visitor
from tests.variants import more

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED = "The passkey was not accepted. Try again."


class Device:
    """An authenticator of the browser, by the Chrome DevTools Protocol (domain WebAuthn)."""

    def __init__(self, session: CDPSession, id: str) -> None:  # noqa: A002 (as the protocol names it)
        self._session = session
        self._id = id

    async def is_touched(self, *, touched: bool) -> None:
        """Let the user touch the device whenever it asks, or never."""
        await self._tell("setAutomaticPresenceSimulation", enabled=touched)

    async def verifies(self, *, verified: bool) -> None:
        """Let the user show the right finger, or a wrong one."""
        await self._tell("setUserVerified", isUserVerified=verified)

    async def keys(self) -> list[dict[str, Any]]:
        """Return the passkeys of the device."""
        found: list[dict[str, Any]] = (await self._tell("getCredentials"))["credentials"]
        return found

    async def take(self, key: dict[str, Any]) -> None:
        """Have a copy of a passkey, in place of all others."""
        await self.clear()
        await self._tell("addCredential", credential=key)

    async def clear(self) -> None:
        """Lose all passkeys."""
        await self._tell("clearCredentials")

    async def remove(self) -> None:
        """Take the device away."""
        await self._tell("removeVirtualAuthenticator")

    async def _tell(self, command: str, **values: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self._session.send(
            f"WebAuthn.{command}", {"authenticatorId": self._id, **values}
        )
        return answer


async def plugged_in(session: CDPSession, **options: Any) -> Device:
    """Plug a device in."""
    device = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "isUserVerified": True}
    held = {"hasResidentKey": True, "hasUserVerification": True, "automaticPresenceSimulation": True}
    added = await session.send("WebAuthn.addVirtualAuthenticator", {"options": device | held | options})
    return Device(session, added["authenticatorId"])


@asynccontextmanager
async def owner(browser: Browser, url: str, **options: Any) -> AsyncIterator[tuple[Visitor, CDPSession, str]]:
    """A user with a verified address who is logged in, and the browser's protocol."""
    async with visitor(browser, url, **options) as ada:
        session = await ada.page.context.new_cdp_session(ada.page)
        await session.send("WebAuthn.enable")
        yield ada, session, await verified(ada)


async def add(ada: Visitor, name: str = "") -> None:
    """Add a passkey on the page for it."""
    await ada.open("account")
    await ada.page.get_by_role("link", name="Add a passkey").click()
    await ada.page.fill("#add_passkey-name", name)
    await ada.press("Add the passkey")


async def comes_in(ada: Visitor) -> None:
    await ada.page.wait_for_url("**/auth/account")
    await ada.sees("Your account")


async def no_suggestions(ada: Visitor) -> None:
    """Have a browser without suggestions of passkeys: a virtual device picks them before the button is pressed."""
    await ada.page.add_init_script("delete PublicKeyCredential.isConditionalMediationAvailable")


async def leave(ada: Visitor) -> None:
    await ada.page.context.clear_cookies()


@pytest.mark.parametrize("database", [more("sqlite"), "postgres15"])
async def test_a_passkey_is_added_logs_in_and_is_deleted(browser: Browser, serve: Serve, database: str) -> None:
    async with owner(browser, serve(database)) as (ada, session, email):
        device = await plugged_in(session)
        await add(ada, "My phone")
        await ada.sees("The passkey was added.")
        await ada.sees("My phone")
        assert (await ada.mail("passkey_added", email))["to"] == email
        (key,) = await device.keys()
        assert (key["rpId"], key["userName"], key["isResidentCredential"]) == ("localhost", email, True)

        await leave(ada)
        await no_suggestions(ada)
        await ada.open("login")
        await ada.press("Log in with a passkey")
        await comes_in(ada)

        await ada.open("reauthenticate")
        await ada.press("Go on with a passkey")
        await comes_in(ada)
        await ada.unfold()
        await ada.page.get_by_text("Rename", exact=True).first.click()
        await ada.page.locator("details[open] details[open] input[name=name]").fill("Blue phone")
        await ada.page.locator("details[open] details[open] button").click()
        await ada.sees("Blue phone")
        await ada.press("Delete Blue phone")
        await ada.sees("The passkey was deleted.")
        assert (await ada.mail("passkey_removed", email))["to"] == email
        await leave(ada)
        await ada.log_in(email)


async def test_the_field_of_the_address_suggests_passkeys(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        device = await plugged_in(session, defaultBackupEligibility=True, defaultBackupState=True)
        await add(ada)
        await ada.sees("Synced")
        await leave(ada)

        # The virtual device picks the suggestion of itself.
        await ada.page.goto(f"{ada.url}/auth/login", wait_until="commit")
        await comes_in(ada)

        await leave(ada)
        await device.is_touched(touched=False)
        await ada.open("login")
        await expect(ada.page.locator("input[autocomplete~=webauthn]")).to_be_focused()
        assert ada.place == "/auth/login"


async def test_a_passkey_is_the_second_step_of_a_login(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, email):
        device = await plugged_in(session, transport="usb")
        await add(ada)
        await ada.sees("The passkey was added.")
        await leave(ada)
        (key,) = await device.keys()
        await device.remove()
        # A touch is enough beside the password.
        simple = await plugged_in(session, transport="usb", hasUserVerification=False, isUserVerified=False)
        await simple.take(key)
        await no_suggestions(ada)
        await begin(ada, email)

        await ada.press("Log in with a passkey")

        await comes_in(ada)


async def test_an_account_begins_with_a_passkey_in_place_of_a_password(browser: Browser, serve: Serve) -> None:
    async with visitor(browser, serve("sqlite")) as ada:
        email = address()
        session = await ada.page.context.new_cdp_session(ada.page)
        await session.send("WebAuthn.enable")
        device = await plugged_in(session)
        await no_suggestions(ada)
        await ada.open("register")
        await expect(ada.page.locator("#passkey_sign_up-email")).to_have_count(0)
        await ada.press("Register with a passkey")
        assert ada.place == "/auth/register"
        assert await device.keys() == []
        await ada.page.fill("#register-email", "ada@localhost")
        await ada.press("Register with a passkey")
        await expect(ada.page.locator("#register-email-error")).to_be_visible()
        await expect(ada.page.locator("#register-email")).to_have_value("ada@localhost")
        await ada.page.fill("#register-email", email)
        await ada.page.fill("#register-display_name", "Ada")
        await ada.press("Register with a passkey")
        await ada.page.wait_for_url("**/auth/verify-email?*")
        await ada.page.fill("input[name=code]", (await ada.mail("register", email))["code"])
        await ada.press("Confirm address")
        await ada.page.wait_for_url("**/auth/account?*")
        assert await ada.page.locator("input[name=display_name]").first.input_value() == "Ada"
        await leave(ada)
        await ada.open("login")
        await ada.press("Log in with a passkey")
        await comes_in(ada)

        await leave(ada)
        await ada.open("register")
        await ada.page.fill("#register-email", email)
        await ada.press("Register with a passkey")
        await ada.sees("already")
        assert len(await device.keys()) == 1


async def test_alone_it_wants_the_pin_or_the_finger(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        device = await plugged_in(session)
        await add(ada)
        await ada.sees("The passkey was added.")
        await leave(ada)
        await no_suggestions(ada)
        await ada.open("login")
        await device.verifies(verified=False)

        await ada.press("Log in with a passkey")

        await ada.sees("No passkey was shown. Try again, or log in another way.")
        assert ada.place == "/auth/login"


async def test_a_copy_of_a_passkey_that_stays_in_its_device_is_refused(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        device = await plugged_in(session, transport="usb")
        await add(ada)
        await ada.sees("The passkey was added.")
        (key,) = await device.keys()
        await no_suggestions(ada)
        for count, text in ((0, REFUSED), (40, "Your account")):
            await leave(ada)
            await ada.open("login")
            await device.take({**key, "signCount": count})
            await ada.press("Log in with a passkey")
            await ada.sees(text)


async def test_one_device_has_one_passkey_of_an_account_and_another_has_its_own(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        first = await plugged_in(session)
        await add(ada)
        await ada.sees("The passkey was added.")
        await add(ada)
        await ada.sees("No passkey was added. If this device has one of this account already")
        await first.remove()
        second = await plugged_in(session, transport="usb")
        await add(ada, "Key ring")
        await ada.sees("Key ring")
        assert len(await second.keys()) == 1


async def test_a_page_of_another_origin_gets_no_passkey(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        await plugged_in(session)
        await add(ada)
        await ada.sees("The passkey was added.")
        await leave(ada)
        elsewhere = Visitor(ada.page, ada.url.replace("localhost", "127.0.0.1"))
        await elsewhere.open("login")

        await elsewhere.press("Log in with a passkey")

        await elsewhere.sees("No passkey was shown. Try again, or log in another way.")
        await ada.open("login")
        await comes_in(ada)


@pytest.mark.parametrize("width", [more(1280), 360])
async def test_the_pages_fit_and_work_without_a_script(browser: Browser, serve: Serve, width: int) -> None:
    async with visitor(browser, serve("sqlite"), java_script_enabled=False) as ada:
        await verified(ada)
        await ada.page.set_viewport_size({"width": width, "height": 800})
        await ada.open("passkeys/new")
        # A page whose scripts are turned off by the protocol has the text, and does not show it.
        assert "Passkeys need JavaScript." in await ada.page.locator("noscript").first.inner_text()
        await expect(ada.page.get_by_role("button", name="Add the passkey")).to_be_hidden()
        await leave(ada)
        await ada.open("login")
        await expect(ada.page.get_by_role("button", name="Log in with a passkey")).to_be_hidden()
    # The policy of the pages keeps axe-core out.
    async with owner(browser, serve("sqlite"), bypass_csp=True) as (ada, session, _):
        await ada.page.set_viewport_size({"width": width, "height": 800})
        await plugged_in(session)
        await add(ada, "A passkey with a long name of so many words, on many lines")
        await ada.sees("The passkey was added.")
        await look(ada.page)
        await ada.open("passkeys/new")
        await look(ada.page)
        await ada.press("Add the passkey")
        await ada.sees("No passkey was added.")
        await look(ada.page)
