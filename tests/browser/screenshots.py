"""Screenshots of every page for the docs: `python -m tests.browser.screenshots`; to a folder, all sizes and colors."""

import asyncio
import base64
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import httpx2
from playwright.async_api import Browser, Page

from asgi_auth import OIDC, AuthMiddleware, AuthorizationServer, OpenIDProvider, Outbox, Pages, Resource, Usernames
from asgi_auth.features.totp.codes import code_at
from asgi_auth.testing.provider import FakeProvider
from asgi_auth.testing.provider.server import SECRET
from tests.browser.chromium import chromium, served
from tests.browser.visitor import PASSWORD, Visitor
from tests.cluster import free_port
from tests.providers.serving import served as serving
from tests.support import EMAIL, cheap, make_auth, register, who
from tests.support import PASSWORD as SHORT

FOLDER = Path(__file__).parents[2] / "docs" / "images" / "pages"
SIZES = {"wide": (1280, 900), "narrow": (360, 740)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
#: The pages that ask for a mail, their forms, and the pages for the codes of those mails.
BY_MAIL = {
    "forgot-password": ("forgot_password", "reset-password"),
    "request-unlock": ("request_unlock", "unlock"),
    "magic-link": ("magic_link", "magic-link-login"),
}


class Camera:
    """Takes pictures of pages into a folder, with an ending for the size and the colours."""

    def __init__(self, folder: Path, ending: str = "") -> None:
        self._folder = folder
        self.ending = ending
        folder.mkdir(parents=True, exist_ok=True)

    async def shoot(self, page: Page, name: str) -> None:
        """Take the whole page."""
        await page.screenshot(path=self._folder / f"{name}{self.ending}.png", full_page=True)


async def main(folder: Path | None) -> None:
    """Take all pictures."""
    with tempfile.TemporaryDirectory() as data, served(f"sqlite:///{data}/auth.db") as url:
        async with chromium() as browser:
            if folder is None:
                async with opened(browser, (960, 560), "light") as page:
                    await visit(Visitor(page, url), Camera(FOLDER))
                async with opened(browser, (960, 560), "light") as page:
                    await sign_up_at_a_provider(page, Camera(FOLDER))
                async with opened(browser, (960, 560), "light") as page:
                    await connect_a_program(page, Camera(FOLDER))
                return
            for size, viewport in SIZES.items():
                for scheme in SCHEMES:
                    async with opened(browser, viewport, scheme) as page:
                        await visit(Visitor(page, url), Camera(folder, f"-{size}-{scheme}"))


@asynccontextmanager
async def opened(browser: Browser, size: tuple[int, int], scheme: Literal["light", "dark"]) -> AsyncIterator[Page]:
    """Open a window."""
    width, height = size
    async with await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme) as context:
        yield await context.new_page()


async def visit(visitor: Visitor, camera: Camera) -> None:
    """Go through the pages as a new user."""
    page, email = visitor.page, f"ada{camera.ending}@example.com"
    await visitor.open("register")
    await camera.shoot(page, "register")
    if camera.ending:
        await visitor.send("register", email=email, display_name="Ada", password="password1")
        await camera.shoot(page, "register-refused")
    await visitor.register(email)
    await camera.shoot(page, "verify-email")
    for name, (form, waits) in BY_MAIL.items():
        await visitor.open(name)
        await camera.shoot(page, name)
        await visitor.send(form, email=email)
        await camera.shoot(page, waits)
    if camera.ending:
        await visitor.open("verify-email?request=x")
        await camera.shoot(page, "verify-email-elsewhere")
    await visitor.open("login")
    await camera.shoot(page, "login")
    if camera.ending:
        await visitor.send("login", email=email, password="wrong")
        await camera.shoot(page, "login-refused")
    await visitor.log_in(email)
    await camera.shoot(page, "account")
    await visitor.send("change_email", new_email=f"grace{camera.ending}@example.com", password=PASSWORD)
    await camera.shoot(page, "confirm-email-change")
    await visitor.open("reauthenticate")
    await camera.shoot(page, "reauthenticate")
    await visitor.open("set-password")
    await camera.shoot(page, "set-password")
    if not camera.ending:
        await second_factors(visitor, camera, email)
        await administration(visitor, camera)
    await visitor.open("account")
    if camera.ending:
        await visitor.send("change_password", current_password="wrong", new_password=PASSWORD)
        await camera.shoot(page, "account-refused")


async def sign_up_at_a_provider(page: Page, camera: Camera) -> None:
    """Log in at a provider that knows no address, as a new user."""
    url, issuer = (f"http://localhost:{free_port()}" for _ in range(2))
    provider = FakeProvider(issuer)
    provider.add_user("7", name="Ada")
    corp = OpenIDProvider("corp", "app", SECRET, issuer=issuer, title="Example Corp")
    features = [*cheap(mail=True), Usernames(required=True), OIDC([corp]), Pages()]
    settings: dict[str, Any] = {"base_url": url, "development": True, "name": "Lighthouse"}
    async with make_auth(features=features, mailer=Outbox(), **settings) as auth:
        app = AuthMiddleware(who, auth, mount="/auth")
        async with serving(provider, port_of(issuer)), serving(app, port_of(url)):
            await page.goto(f"{url}/auth/oidc/corp/login")
            await camera.shoot(page, "oidc-sign-up")


async def connect_a_program(page: Page, camera: Camera) -> None:
    """Open the page on which a user lets a program in."""
    url = f"http://localhost:{free_port()}"
    notes = Resource("Notes", scopes={"notes:read": "Read your notes", "notes:write": "Change your notes"})
    features = [*cheap(), Pages(), AuthorizationServer({"/mcp": notes})]
    settings: dict[str, Any] = {"base_url": url, "development": True, "name": "Lighthouse"}
    async with (
        make_auth(features=features, **settings) as auth,
        serving(AuthMiddleware(who, auth, mount="/auth"), port_of(url)),
        httpx2.AsyncClient(base_url=url) as program,
    ):
        about = {"redirect_uris": ["https://claude.ai/api/mcp/auth_callback"], "client_name": "Claude"}
        client_id = (await program.post("/auth/oauth/register", json=about)).json()["client_id"]
        await register(auth)
        asked = {"response_type": "code", "client_id": client_id, "redirect_uri": about["redirect_uris"][0]}
        asked |= {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
        await page.goto(f"{url}/auth/authorize?{urlencode(asked)}")
        await page.fill("#login-email", EMAIL)
        await page.fill("#login-password", SHORT)
        await page.click("button.primary")
        await page.wait_for_url("**/authorize*")
        await camera.shoot(page, "authorize")


def port_of(url: str) -> int:
    """Return the port of a URL."""
    return int(url.rpartition(":")[2])


async def second_factors(visitor: Visitor, camera: Camera, email: str) -> None:
    """Turn codes of an app on, and log in with one; the key of the picture is not the one that is used."""
    page = visitor.page
    await visitor.open(f"verify-email?token={(await visitor.mail('verify_email', email))['token']}")
    await page.click("button.primary")
    await visitor.open("totp/setup")
    await page.click("button.primary")
    await camera.shoot(page, "totp-setup")
    key = base64.b32decode((await page.inner_text("code")).replace(" ", ""))
    await page.fill("input[name=code]", code_at(key, int(time.time() // 30)))
    await page.click("button.primary")
    await visitor.open("passkeys/new")
    await camera.shoot(page, "passkeys-new")
    await visitor.open("recovery-codes/new")
    await page.click("button.primary")
    await camera.shoot(page, "recovery-codes-new")
    await page.context.clear_cookies()
    await visitor.open("login")
    await visitor.send("login", email=email, password=PASSWORD)
    await camera.shoot(page, "second-factor")
    await page.fill("#totp_login-code", code_at(key, int(time.time() // 30) + 1))
    await page.press("#totp_login-code", "Enter")


async def administration(visitor: Visitor, camera: Camera) -> None:
    """Go through the pages of administrators, as the user who has just logged in with a second factor."""
    page = visitor.page
    await page.request.post(f"{visitor.url}/auth/promote", headers={"origin": visitor.url}, data={})
    for name in ("grace", "bob"):
        await visitor.open("admin/users/new")
        await visitor.send("create_user", email=f"{name}@example.com")
    await visitor.send("disable_user", reason="Spam in three discussions")
    await camera.shoot(page, "admin-users-id")
    await page.get_by_role("link", name="All events").click()
    await camera.shoot(page, "admin-users-id-events")
    for path in ("admin/users/new", "admin"):
        await visitor.open(path)
        await camera.shoot(page, path.replace("/", "-"))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
