"""The script of the guide for logins by providers in Chromium: a page of another site, an app, and a provider."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser
from starlette.responses import HTMLResponse

from asgi_auth import OIDC, AuthMiddleware, OpenIDProvider
from asgi_auth.testing.provider import FakeProvider
from tests.cluster import free_port
from tests.docs.files import DOCS, fences
from tests.providers.serving import served
from tests.support import EMAIL, cheap, make_auth, who

pytestmark = pytest.mark.asyncio(loop_scope="session")
GUIDE = DOCS / "guides" / "login-by-providers.md"
SECRET = "the secret of a client of a fake provider"
#: What the page does with its tokens.
ME = """async ([url, token]) => {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  return response.json();
}"""


@asynccontextmanager
async def app_for(origin: str) -> AsyncIterator[str]:
    """Serve a provider whose user is logged in there, and an app for the script of an origin; give the app's URL."""
    issuer, base_url = (f"http://localhost:{free_port()}" for _ in range(2))
    op = FakeProvider(issuer, client_id="app", client_secret=SECRET)
    op.add_user("7", email=EMAIL, email_verified=True)
    features = [*cheap(), OIDC([OpenIDProvider("op", "app", SECRET, issuer=issuer)])]
    async with make_auth(features=features, base_url=base_url, development=True, cors_origins=[origin]) as auth:
        app = AuthMiddleware(who, auth, mount="/auth")
        async with served(op, int(issuer.rpartition(":")[2])), served(app, int(base_url.rpartition(":")[2])):
            yield base_url


async def test_the_script_of_the_guide_gets_tokens_and_no_cookies(browser: Browser) -> None:
    [script] = fences(GUIDE, "js")
    port = free_port()
    # Another site than that of the app, for the browser.
    origin = f"http://127.0.0.1:{port}"
    async with app_for(origin) as base_url, await browser.new_context() as context:
        placed = script.replace("https://app.example.com", base_url)
        async with served(HTMLResponse(f"<!doctype html><script>{placed}</script>"), port):
            page = await context.new_page()
            await page.goto(origin)
            await page.evaluate("setTimeout(() => logIn('op'))")
            await page.wait_for_url(lambda url: url.startswith(f"{origin}/after-login?token="))

            tokens = await page.evaluate("afterLogin()")

            assert page.url == f"{origin}/after-login"
            assert (await page.evaluate(ME, [f"{base_url}/auth/me", tokens["access_token"]]))["email"] == EMAIL
            assert await context.cookies() == []
            await page.close()
