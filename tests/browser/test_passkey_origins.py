"""Where a page asks for a passkey: only the origin of the site gets a login, in Chromium by a virtual authenticator."""

from typing import Any

import pytest
from playwright.async_api import Browser, Frame, Page

from tests.browser.conftest import Serve
from tests.browser.test_passkeys import add, leave, owner, plugged_in
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")

#: Asks for a passkey; returns it, or the name of the browser's error.
ASK = """async (options) => {
  try {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return (await navigator.credentials.get({ publicKey })).toJSON();
  } catch (error) {
    return error.name;
  }
}"""


async def outcome(ada: Visitor, place: Page | Frame) -> str:
    """Ask for a passkey at a place, and send it as the page of an attacker could: by a server of its own."""
    request = ada.page.request
    asked = await request.post(f"{ada.url}/auth/login/passkey/options", data={})
    key: Any = await place.evaluate(ASK, (await asked.json())["options"])
    if isinstance(key, str):
        return key
    answer = await request.post(f"{ada.url}/auth/login/passkey", data={"credential": key})
    return str((await answer.json()).get("code", "in"))


async def framed(ada: Visitor, top: str, **attributes: str) -> Frame:
    """Open a page of the server by some name, with a frame of the same origin in it; return the frame."""
    await ada.page.goto(top)
    await ada.page.evaluate(
        """(attributes) => new Promise((loaded) => {
          const frame = document.createElement("iframe");
          for (const [name, value] of Object.entries(attributes)) frame.setAttribute(name, value);
          frame.onload = loaded;
          document.body.append(frame);
        })""",
        {**attributes, "src": f"{ada.url}/"},
    )
    [found] = ada.page.main_frame.child_frames
    return found


async def test_no_origin_but_that_of_the_site_gets_a_login(browser: Browser, serve: Serve) -> None:
    async with owner(browser, serve("sqlite")) as (ada, session, _):
        await plugged_in(session, defaultBackupEligibility=True, defaultBackupState=True)
        await add(ada)
        await ada.sees("The passkey was added.")
        await leave(ada)
        other = ada.url.replace("localhost", "127.0.0.1")

        await ada.page.goto(f"{ada.url}/")
        assert await outcome(ada, ada.page) == "in"
        await ada.page.goto(f"{ada.url.replace('localhost', 'app.localhost')}/")
        assert await outcome(ada, ada.page) == "SecurityError"
        await ada.page.goto(f"{other}/")
        assert await outcome(ada, ada.page) == "SecurityError"
        assert await outcome(ada, await framed(ada, f"{other}/")) == "NotAllowedError"
        # The browser allows what the policy of the other site allows, and the server does not.
        allowed = await framed(ada, f"{other}/", allow="publickey-credentials-get *")
        assert await outcome(ada, allowed) == "invalid_passkey"
        opaque = await framed(ada, f"{ada.url}/", allow="publickey-credentials-get *", sandbox="allow-scripts")
        assert await opaque.evaluate("origin") == "null"
        assert await outcome(ada, opaque) == "NotAllowedError"
