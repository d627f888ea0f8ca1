"""Every page at both widths and in both colour schemes: nothing for axe-core to find, nothing beyond the edge."""

import secrets
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from tests.browser.chromium import served
from tests.browser.conftest import Serve
from tests.browser.visitor import PASSWORD, Visitor
from tests.variants import crossed

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATHS = ["login", "login?said=logged_out", "register", "verify-email", "verify-email?request=x", "forgot-password",
         "reset-password?token=x", "request-unlock", "unlock?token=x", "magic-link",
         "confirm-email-change?token=x", "nothing"]  # fmt: skip
#: The pages that ask for a mail with their forms: what follows has the form for a code.
BY_MAIL = {"forgot-password": "forgot_password", "magic-link": "magic_link"}
#: The looks of each page: `make test` takes the pages in two of them.
LOOKS = crossed(["light", "dark"], [1280, 360])
#: The smallest that WCAG 2.2, 2.5.8 allows for what is pressed.
SMALL = """() => [...document.querySelectorAll("a, button, input:not([type=hidden], [type=checkbox])")].filter(
    element => element.checkVisibility() && !element.closest("p, dd") && element.getBoundingClientRect().height < 24
).map(element => element.outerHTML)"""


#: The most bytes of a page with all that it loads, uncompressed.
LIGHT = 30 * 1024
#: Adds up what moves after it was drawn, without an act of the visitor (Cumulative Layout Shift).
SHIFTS = """self.shifted = 0; new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) self.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""
#: The bytes of the page and of its files, and what has asked for each file; a script of axe-core may ask for more.
LOADED = """() => {
    const files = performance.getEntriesByType("resource").filter((entry) => entry.initiatorType !== "fetch");
    const all = [...performance.getEntriesByType("navigation"), ...files];
    return {
        bytes: all.reduce((sum, entry) => sum + entry.decodedBodySize, 0),
        by: [...new Set(files.map((entry) => entry.initiatorType))], shifted: self.shifted,
    };
}"""


async def weigh(page: Any) -> None:
    """A page is light, its HTML names all that it loads, which is one more round trip, and nothing on it moves."""
    # The sizes are known once all has come.
    await page.wait_for_load_state("load")
    await page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
    loaded = await page.evaluate(LOADED)
    assert 2000 < loaded["bytes"] < LIGHT, (page.url, loaded)
    # The browser itself asks for an icon: `other`.
    assert set(loaded["by"]) <= {"link", "script", "other"}, (page.url, loaded)
    assert loaded["shifted"] == 0, (page.url, loaded)


async def test_the_account_page_with_every_feature_is_light(browser: Browser, tmp_path: Path) -> None:
    """In the language whose texts are the longest in UTF-8, for an administrator with two logins."""
    with served(f"sqlite:///{tmp_path}/auth.db", WITH_ALL="1") as url:
        async with await browser.new_context(locale="ja-JP") as context:
            page = await context.new_page()
            await page.add_init_script(SHIFTS)
            ada, email = Visitor(page, url), f"ada-{secrets.token_hex(8)}@example.com"
            await ada.register(email)
            for _ in range(2):
                await ada.log_in(email)
                await page.request.post(f"{url}/auth/promote", headers={"origin": url}, data={})
                await context.clear_cookies()
            await ada.log_in(email)
            sections = page.locator("section[aria-labelledby]")
            names = await sections.evaluate_all("all => all.map((each) => each.getAttribute('aria-labelledby'))")
            assert {"identities", "passkeys", "totp", "recovery-codes", "sessions", "administration"} <= set(names)
            await weigh(page)


async def look(page: Any) -> None:
    """Look at a page as it is, once it is all there."""
    await page.wait_for_load_state()
    results = await Axe().run(page, options={"resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()
    width = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width[0] <= width[1], page.url
    assert await page.evaluate(SMALL) == []


async def examine(page: Any) -> None:
    """Look at a page that began with the script of shifts, and weigh it."""
    await page.wait_for_load_state()
    await weigh(page)
    await look(page)


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
async def test_every_page(browser: Browser, serve: Serve, width: int, scheme: Literal["light", "dark"]) -> None:
    # The policy of the pages keeps axe-core out as it keeps out all other scripts.
    context = await browser.new_context(
        viewport={"width": width, "height": 740}, color_scheme=scheme, bypass_csp=True, locale="de-DE"
    )
    async with context:
        page = await context.new_page()
        await page.add_init_script(SHIFTS)
        ada = Visitor(page, serve("sqlite"))
        email = f"a-rather-long-address-of-a-person-{secrets.token_hex(8)}@subdomain.example.com"
        for path in PATHS:
            await ada.open(path)
            await examine(page)
        await ada.open("register")
        await ada.send("register", email=email, password="password1")
        await examine(page)
        await ada.register(email)
        await examine(page)
        for path, form in BY_MAIL.items():
            await ada.open(path)
            await ada.send(form, email=email)
            await examine(page)
        await ada.open("login")
        await ada.send("login", email=email, password="wrong")
        await examine(page)
        await ada.log_in(email)
        await examine(page)
        await ada.send("change_password", current_password="wrong", new_password=PASSWORD)
        await examine(page)
        answer = await page.goto(f"{ada.url}/auth/account?said=saved")
        assert answer is not None
        assert "Gespeichert." in await answer.text()
        await examine(page)
