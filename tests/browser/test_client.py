"""The client for browsers in Chromium and Firefox: many tabs of one session."""

import asyncio
from typing import Any

import pytest

from tests.browser.client_tabs import (
    Site,
    heard,
    made,
    passes,
    passes_at_the_server,
    probe,
    profile,
    registers,
    tab_of,
)
from tests.support import PASSWORD

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
BROWSERS = pytest.mark.parametrize("kind", ["chromium", "firefox"])
TABS = 10


@BROWSERS
async def test_ten_tabs_renew_once_and_hear_of_a_logout(kind: str, browsers: dict[str, Any], site: Site) -> None:
    async with profile(browsers[kind]) as opened:
        first = await tab_of(opened, site.url, "cookie", "bearer")
        email = await registers(first, "cookie", "bearer")
        tabs = [first, *[await tab_of(opened, site.url, "cookie", "bearer") for _ in range(TABS - 1)]]
        for tab in tabs:
            assert await tab.run("return (await bearer.session()).email + (await cookie.session()).email;") == 2 * email
        await passes(*tabs)

        for transport in ("cookie", "bearer"):
            before = (await probe(first))["refreshes"]
            script = f"return (await {transport}.fetch('/notes', {{ method: 'POST', body: 'x' }})).status;"
            statuses = await asyncio.gather(*(tab.run(script) for tab in tabs))
            assert statuses == [200] * TABS
            assert (await probe(first))["refreshes"] - before == 1, transport

        for transport in ("cookie", "bearer"):
            await tabs[-1].run(f"await {transport}.logout();")
            for tab in tabs:
                await heard(tab, transport, email, None)
        assert await first.run("return [cookie.user, bearer.user, await cookie.session()];") == [None, None, None]
        for tab in tabs:
            assert await tab.run("return violations;") == []


@BROWSERS
async def test_restored_tabs_renew_once(kind: str, browsers: dict[str, Any], site: Site) -> None:
    async with profile(browsers[kind]) as opened:
        first = await tab_of(opened, site.url, "cookie")
        email = await registers(first, "cookie")
        await first.open(site.url)
        await passes_at_the_server(first)
        before = (await probe(first))["refreshes"]
        tabs = [first, await tab_of(opened, site.url), await tab_of(opened, site.url)]
        for tab in tabs:
            await tab.run(made("cookie"))

        assert await asyncio.gather(*(tab.run("return (await cookie.session()).email;") for tab in tabs)) == [email] * 3
        assert (await probe(first))["refreshes"] - before == 1


@BROWSERS
async def test_a_logout_wins_over_renewals_of_other_tabs(kind: str, browsers: dict[str, Any], site: Site) -> None:
    async with profile(browsers[kind]) as opened:
        tabs = [await tab_of(opened, site.url, "cookie", "bearer") for _ in range(3)]
        for transport in ("cookie", "bearer") * 2:
            email = await registers(tabs[0], transport)
            for tab in tabs:
                await heard(tab, transport, email)
            await passes(*tabs)
            fetched = f"return (await {transport}.fetch('/notes')).status;"
            first, second, _ = await asyncio.gather(
                tabs[0].run(fetched), tabs[1].run(fetched), tabs[2].run(f"await {transport}.logout();")
            )
            assert {first, second} <= {200, 401}
            for tab in tabs:
                await heard(tab, transport, None)
                assert await tab.run(f"return [{transport}.user, (await {transport}.fetch('/notes')).status];") == [
                    None,
                    401,
                ]


def held(call: str) -> str:
    """A script that makes a call, whose answer arrives in the page once the test calls `release`."""
    return (
        "const real = fetch; globalThis.fetch = async (...sent) => { const answer = await real(...sent);"
        " globalThis.fetch = real; globalThis.isHeld = true;"
        " await new Promise((done) => { globalThis.release = done; }); return answer; };"
        f"globalThis.asked = {call};"
        "while (!globalThis.isHeld) await new Promise((done) => setTimeout(done, 5));"
    )


@BROWSERS
async def test_what_a_tab_has_asked_before_a_login_or_logout_of_another_one_is_old(
    kind: str, browsers: dict[str, Any], site: Site
) -> None:
    async with profile(browsers[kind]) as opened:
        first, second = [await tab_of(opened, site.url, "cookie") for _ in range(2)]
        await registers(first, "cookie")
        await first.run("await cookie.logout();")
        await heard(second, "cookie", None)
        await second.run(held("cookie.session()"))
        email = await registers(first, "cookie")
        await heard(second, "cookie", email)
        assert (await second.run("release(); return asked;"))["email"] == email
        third = await tab_of(opened, site.url, "cookie")
        await heard(third, "cookie", email)
        await third.run(held("cookie.session()"))
        await first.run("await cookie.logout();")
        await heard(third, "cookie", None)
        assert await third.run("release(); return asked;") is None

        # A login on a page of the server: the other tabs know of no user.
        account = f"{{ email: '{email}', password: '{PASSWORD}' }}"
        headers = "{ 'Content-Type': 'application/json', 'Auth-Transport': 'cookie' }"
        login = f"{{ method: 'POST', headers: {headers}, body: JSON.stringify({account}) }}"
        await third.run(f"await fetch('/auth/login', {login});")
        assert (await third.run("return cookie.session();"))["email"] == email
        for tab in (first, second, third):
            await heard(tab, "cookie", email)


@BROWSERS
async def test_a_request_is_never_sent_again_as_another_user(kind: str, browsers: dict[str, Any], site: Site) -> None:
    async with profile(browsers[kind]) as opened:
        first, second = [await tab_of(opened, site.url, "bearer") for _ in range(2)]
        await registers(first, "bearer")
        await passes_at_the_server(first)
        await first.run(held("bearer.fetch('/notes', { method: 'POST', body: 'of the first user' })"))
        await probe(first, seen="[]")
        other = await registers(second, "bearer")
        await heard(first, "bearer", other)

        assert await first.run("release(); return (await asked).status;") == 401
        assert (await probe(first))["seen"] == []
        assert await first.run("return (await bearer.fetch('/notes')).status;") == 200


@BROWSERS
async def test_a_renewal_outlives_a_navigation(kind: str, browsers: dict[str, Any], site: Site) -> None:
    stored = made("bearer", storage="localStorage")
    async with profile(browsers[kind]) as opened:
        tab = await tab_of(opened, site.url)
        await tab.run(stored)
        email = await registers(tab, "bearer")
        await passes(tab)
        # The server renews, and the answer never arrives.
        await tab.run(
            "const real = fetch; const lost = new Promise((done) => { globalThis.fetch = (url, init) => {"
            " const sent = real(url, init); return String(url).endsWith('/refresh') ? sent.then(done, done) && lost"
            ".then(() => new Promise(() => {})) : sent; }; }); bearer.fetch('/notes'); await lost;"
        )
        await tab.open(site.url)
        await tab.run("while (!globalThis.isReady) await new Promise((done) => setTimeout(done, 5));")
        await tab.run(stored)
        assert await tab.run("return (await bearer.session()).email;") == email


@BROWSERS
async def test_a_browser_without_channels_and_locks(kind: str, browsers: dict[str, Any], site: Site) -> None:
    denied = (
        "globalThis.BroadcastChannel = class { constructor() { throw new DOMException('no', 'SecurityError'); } };"
        "Object.defineProperty(navigator, 'locks', { value: LOCKS });"
    )
    denied += made("bearer", storage="localStorage") + made("cookie")
    rejecting = "{ request: async () => { throw new DOMException('no', 'SecurityError'); } }"
    async with profile(browsers[kind]) as opened:
        tabs = [await tab_of(opened, site.url), await tab_of(opened, site.url)]
        await tabs[0].run(denied.replace("LOCKS", "undefined"))
        email = await registers(tabs[0], "bearer", "cookie")
        await tabs[1].run(denied.replace("LOCKS", rejecting))
        assert await tabs[1].run("return (await bearer.session()).email;") == email
        await passes(*tabs)
        for transport in ("bearer", "cookie"):
            script = (
                f"const all = [1, 2, 3].map(() => {transport}.fetch('/notes'));"
                "return (await Promise.all(all)).map((each) => each.status);"
            )
            assert await asyncio.gather(*(tab.run(script) for tab in tabs)) == [[200, 200, 200]] * 2
        await tabs[0].run("await bearer.logout();")
        await heard(tabs[1], "bearer", None)
