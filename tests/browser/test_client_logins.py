"""The client for browsers in Chromium and Firefox: second factors, step-up and passkeys."""

import base64
import secrets
import time
from typing import Any

import pytest

from asgi_auth.features.totp.codes import code_at
from tests.browser.client_tabs import Site, passes, probe, profile, registers, tab_of
from tests.browser.tabs import ChromiumTab
from tests.browser.test_passkeys import plugged_in
from tests.support import PASSWORD

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
BROWSERS = pytest.mark.parametrize("kind", ["chromium", "firefox"])


@BROWSERS
async def test_second_factors_and_step_up(kind: str, browsers: dict[str, Any], site: Site) -> None:
    async with profile(browsers[kind]) as opened:
        tab = await tab_of(opened, site.url, "cookie", "bearer")
        for transport in ("cookie", "bearer"):
            email = await registers(tab, transport)
            setup = await tab.run(f"return {transport}.post('/totp/setup');")
            key = base64.b32decode(setup["secret"])
            step = int((time.time() + (await probe(tab))["ahead"]) // 30)
            sent = f"{{ request: '{setup['request']}', code: '{code_at(key, step - 1)}' }}"
            await tab.run(f"return {transport}.post('/totp', {sent});")
            codes = (await tab.run(f"return {transport}.post('/recovery-codes');"))["codes"]
            await tab.run(f"await {transport}.logout();")

            waiting = await tab.run(f"return {transport}.login({{ email: '{email}', password: '{PASSWORD}' }});")
            assert (waiting["user"], sorted(waiting["factors"]), waiting["setup"]) == (None, ["otp", "recovery"], False)
            assert ("pending" in waiting) == (transport == "bearer")
            assert await tab.run(f"return {transport}.user;") is None
            wrong = f"return {transport}.second('otp', {{ code: '000000' }}).catch((error) => error.code);"
            assert await tab.run(wrong) == "invalid_code"
            done = await tab.run(f"return {transport}.second('otp', {{ code: '{code_at(key, step)}' }});")
            assert done["user"]["email"] == email

            await passes(tab)
            refused = "catch((error) => [error.isStepUp, error.status, error.ways.sort()])"
            assert await tab.run(f"return {transport}.delete('/totp').{refused};") == [True, 401, ["totp"]]
            await tab.run(f"await {transport}.logout();")
            await tab.run(f"await {transport}.login({{ email: '{email}', password: '{PASSWORD}' }});")
            done = await tab.run(f"return {transport}.second('recovery', {{ code: '{codes[0]}' }});")
            assert done["user"]["email"] == email
            await tab.run(f"await {transport}.delete('/totp'); await {transport}.logout();")


async def test_passkeys(browsers: dict[str, Any], site: Site) -> None:
    async with profile(browsers["chromium"]) as opened:
        tab = await tab_of(opened, site.url, "cookie", "bearer")
        assert isinstance(tab, ChromiumTab)
        session = await tab.page.context.new_cdp_session(tab.page)
        await session.send("WebAuthn.enable")
        device = await plugged_in(session)
        for transport in ("cookie", "bearer"):
            address = f"grace-{transport}-{secrets.token_hex(6)}@example.com"
            made = await tab.run(f"return {transport}.passkeys.register({{ email: '{address}' }});")
            assert (made["user"]["email"], await tab.run(f"return {transport}.user.email;")) == (address, address)
            await tab.run(f"await {transport}.logout();")
            await device.clear()
            email = await registers(tab, transport)
            added = await tab.run(f"return {transport}.passkeys.add('My key');")
            assert added["passkey"]["name"] == "My key"
            assert "access_token" not in added["tokens"] or transport == "bearer"
            await tab.run(f"await {transport}.passkeys.prove(); await {transport}.logout();")
            assert (await tab.run(f"return {transport}.passkeys.login();"))["user"]["email"] == email
            await tab.run(f"await {transport}.logout();")

            waiting = await tab.run(f"return {transport}.login({{ email: '{email}', password: '{PASSWORD}' }});")
            assert waiting["factors"] == ["passkey"]
            assert (await tab.run(f"return {transport}.second('passkey');"))["user"]["email"] == email
            await tab.run(f"await {transport}.logout();")

            # Autofill waits for the user, until another ceremony begins or the page stops it.
            await device.is_touched(touched=False)
            waits = f"{transport}.passkeys.login({{ autofill: true }})"
            await tab.run(f"globalThis.filled = {waits}.catch((error) => error.name);")
            await tab.run(f"globalThis.other = {waits}.catch((error) => error.name);")
            await tab.run(f"{transport}.passkeys.stop();")
            assert await tab.run("return [await filled, await other];") == ["AbortError", "AbortError"]
            await device.is_touched(touched=True)
            assert (await tab.run(f"return {waits};"))["user"]["email"] == email
            await tab.run(f"await {transport}.logout();")
            await device.clear()
