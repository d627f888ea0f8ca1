"""What a browser with a virtual authenticator does with passkeys beside the plain ways, in Chromium."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.async_api import APIResponse, Browser, Request, Route, expect

from tests.browser.conftest import Serve
from tests.browser.test_passkeys import Device, add, comes_in, leave, no_suggestions, owner, plugged_in
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

SYNCED: dict[str, Any] = {"defaultBackupEligibility": True, "defaultBackupState": True}


async def press_login(ada: Visitor) -> None:
    await leave(ada)
    await ada.open("login")
    await ada.press("Log in with a passkey")


async def forgets(device: Device, ada: Visitor) -> None:
    """Wait until a device has no passkey any more."""
    for _ in range(100):
        if not await device.keys():
            return
        await ada.page.wait_for_timeout(50)
    pytest.fail("the device keeps its passkey")


async def test_a_synced_passkey_logs_in_whatever_its_counter_says(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        device = await plugged_in(session, **SYNCED)
        await add(ada)
        await ada.sees("The passkey was added.")
        await no_suggestions(ada)
        (key,) = await device.keys()
        for count in (40, 0):
            await device.take({**key, "signCount": count, "backupEligibility": True, "backupState": True})
            await press_login(ada)
            await comes_in(ada)


async def test_a_second_device_logs_in_as_well(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        first = await plugged_in(session, **SYNCED)
        await add(ada, "My phone")
        await ada.sees("The passkey was added.")
        await first.remove()
        await plugged_in(session, transport="usb")
        await add(ada, "Key ring")
        await ada.sees("The passkey was added.")
        await no_suggestions(ada)

        await press_login(ada)

        await comes_in(ada)


async def sent_again(ada: Visitor, path: str, caught: Request) -> APIResponse:
    """Send what the browser has sent, to a path."""
    (text,) = parse_qs(caught.post_data or "")["credential"]
    body, headers = json.loads(text), {"origin": ada.url, "sec-fetch-site": "same-origin"}
    return await ada.page.request.post(f"{ada.url}/auth/{path}", data={"credential": body}, headers=headers)


async def test_an_answer_serves_once_and_its_purpose_alone(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        await plugged_in(session, **SYNCED)
        await add(ada)
        await ada.sees("The passkey was added.")
        await no_suggestions(ada)
        caught: list[Request] = []

        async def stop(route: Route) -> None:
            caught.append(route.request)
            await route.fulfill(status=204)

        await ada.page.route("**/auth/login/passkey", stop)
        await press_login(ada)
        for _ in range(100):
            if caught:
                break
            await ada.page.wait_for_timeout(50)
        assert len(caught) == 1
        await ada.page.unroute("**/auth/login/passkey")
        await press_login(ada)
        await comes_in(ada)

        assert (await sent_again(ada, "reauthenticate/passkey", caught[0])).status == 401
        await leave(ada)
        statuses = [(await sent_again(ada, "login/passkey", caught[0])).status for _ in range(3)]
        assert statuses == [200, 401, 401]


async def test_devices_forget_passkeys_that_no_account_has(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        device = await plugged_in(session, **SYNCED)
        await add(ada, "My phone")
        await ada.sees("The passkey was added.")
        (key,) = await device.keys()

        await ada.press("Delete My phone")
        await ada.sees("The passkey was deleted.")
        await forgets(device, ada)

        # A copy of it that another device has kept.
        await device.take({**key, "backupEligibility": True, "backupState": True})
        await no_suggestions(ada)
        await press_login(ada)
        await ada.sees("The passkey was not accepted. Try again.")
        await forgets(device, ada)


async def test_by_keyboard_alone(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        device = await plugged_in(session)
        await no_suggestions(ada)

        async def reach(name: str) -> None:
            """Press Tab up to a button, and then Enter."""
            button = ada.page.get_by_role("button", name=name)
            for _ in range(40):
                await ada.page.keyboard.press("Tab")
                if await button.evaluate("(item) => item === document.activeElement"):
                    break
            await expect(button).to_be_focused()
            await ada.page.keyboard.press("Enter")

        await ada.open("passkeys/new")
        await reach("Add the passkey")
        await ada.sees("The passkey was added.")
        assert len(await device.keys()) == 1

        await leave(ada)
        await ada.open("login")
        await reach("Log in with a passkey")
        await comes_in(ada)
