"""Logins at real providers in Chromium, on both databases: by a link, by a form, with errors, and silently."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from asgi_auth import OIDC, AuthMiddleware, OpenIDProvider, Outbox, Pages
from tests.cluster import free_port
from tests.providers.real import glewlwyd, oidc_provider
from tests.providers.serving import served
from tests.support import cheap as without_limits
from tests.support import make_auth, who
from tests.variants import more

pytestmark = pytest.mark.asyncio(loop_scope="session")
SECRET = oidc_provider.CLIENT_SECRET


@asynccontextmanager
async def app_with(database: str, base_url: str, *providers: OpenIDProvider) -> AsyncIterator[Outbox]:
    """Serve an app with pages and logins at providers."""
    features = [*without_limits(mail=True), OIDC(providers), Pages(after_login="account")]
    settings: dict[str, Any] = {"base_url": base_url, "development": True, "name": "Lighthouse"}
    outbox = Outbox()
    async with make_auth(database, features=features, mailer=outbox, **settings) as auth:
        app = AuthMiddleware(who, auth, mount="/auth")
        async with served(app, int(base_url.rpartition(":")[2])):
            yield outbox


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


async def at_oidc_provider(page: Page, name: str) -> None:
    """Log in at oidc-provider, and agree."""
    await page.fill("[name=login]", name)
    await page.fill("[name=password]", "any")
    await page.click("button[type=submit]")
    await page.click("button[type=submit]")


def log_in_at_glewlwyd(issuer: str) -> Any:
    """Log in at glewlwyd; return the cookie of the session."""
    base = issuer.partition("/api/")[0]
    session = glewlwyd.Session(base)
    session.call("POST", "/auth/", {"username": glewlwyd.USER, "password": glewlwyd.PASSWORD})
    name, _, value = session.cookie.partition("=")
    return {"name": name, "value": value, "url": base}


async def through_glewlwyd(page: Page, base_url: str) -> None:
    """Go to glewlwyd and back. Its page needs scripts that Debian only recommends: this is what the page does."""
    await page.goto(f"{base_url}/auth/oidc/glewlwyd/login")
    (going_on,) = parse_qs(urlsplit(page.url).query)["callback_url"]
    await page.goto(f"{going_on}&g_continue")


async def log_out(page: Page, base_url: str) -> None:
    """Log out here, which is no logout at the provider."""
    await page.goto(f"{base_url}/auth/account")
    await page.get_by_role("button", name="Log out", exact=True).first.click()
    await expect(page).not_to_have_url(f"{base_url}/auth/account")


@pytest.mark.parametrize("driver", [more("sqlite"), "postgres15"])
async def test_oidc_provider_logs_a_user_in(
    page: Page, fresh: Callable[[str], str], driver: str, tmp_path: Path
) -> None:
    base_url = f"http://localhost:{free_port()}"
    links, forms = (f"{base_url}/auth/oidc/{name}/callback" for name in ("links", "forms"))
    with (
        oidc_provider.oidc_provider(oidc_provider.client([links])) as one,
        # Another site for the browser, which sends the answer as a form.
        oidc_provider.oidc_provider(oidc_provider.client([forms]), host="127.0.0.1") as other,
    ):
        by_link = OpenIDProvider("links", "app", SECRET, issuer=one, title="Links")
        by_form = OpenIDProvider("forms", "app", SECRET, issuer=other, authorize={"response_mode": "form_post"})
        async with app_with(fresh(driver), base_url, by_link, by_form):
            await page.goto(f"{base_url}/auth/login")
            await page.screenshot(path=tmp_path / "login.png", full_page=True)
            await page.click("a[href*='/oidc/links/']")
            await page.click("a[href$='/abort']")
            await expect(page.get_by_role("heading")).to_be_visible()
            assert "access_denied" not in await page.inner_text("body")
            await page.screenshot(path=tmp_path / "refused.png", full_page=True)

            await page.goto(f"{base_url}/auth/oidc/links/login")
            await at_oidc_provider(page, "ann")
            await expect(page).to_have_url(f"{base_url}/auth/account")
            await expect(page.get_by_text("ann@example.com").first).to_be_visible()
            await page.screenshot(path=tmp_path / "account.png", full_page=True)

            await log_out(page, base_url)
            await page.goto(f"{base_url}/auth/oidc/links/login")
            # The provider knows the user, so nothing is asked.
            await expect(page).to_have_url(f"{base_url}/auth/account")

            await log_out(page, base_url)
            await page.goto(f"{base_url}/auth/oidc/forms/login")
            await at_oidc_provider(page, "cleo")
            await expect(page).to_have_url(f"{base_url}/auth/account")
            await expect(page.get_by_text("cleo@example.com").first).to_be_visible()


@pytest.mark.parametrize("driver", ["sqlite", more("postgres15")])
async def test_glewlwyd_logs_a_user_in(page: Page, fresh: Callable[[str], str], driver: str, tmp_path: Path) -> None:
    base_url = f"http://localhost:{free_port()}"
    with glewlwyd.glewlwyd(tmp_path, [f"{base_url}/auth/oidc/glewlwyd/callback"]) as issuer:
        provider = OpenIDProvider("glewlwyd", "app", glewlwyd.CLIENT_SECRET, issuer=issuer)
        async with app_with(fresh(driver), base_url, provider) as outbox:
            await page.context.add_cookies([log_in_at_glewlwyd(issuer)])
            await through_glewlwyd(page, base_url)
            # It does not say whether the address is verified, so the browser has to prove it by a code.
            await page.get_by_role("textbox", name="Code").fill((await outbox.next("register")).code)
            await page.screenshot(path=tmp_path / "code.png", full_page=True)
            await page.get_by_role("button", name="Confirm address").click()
            await expect(page.get_by_text("Your email address is confirmed.")).to_be_visible()
            await through_glewlwyd(page, base_url)
            await expect(page).to_have_url(f"{base_url}/auth/account")
            await expect(page.get_by_text("ann@example.com").first).to_be_visible()
