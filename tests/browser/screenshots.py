"""Pictures of every page for the README: `python -m tests.browser.screenshots [folder]`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page

from tests.browser.chromium import chromium, served

FOLDER = Path(__file__).parents[2] / "examples" / "screenshots"
PASSWORD = "violet harbour lantern"
EMAIL = "ada@example.com"
SIZES = {"wide": (1280, 900), "narrow": (360, 740)}


async def main(folder: Path, *, everything: bool) -> None:
    """Visit all pages; `everything` is in both widths and both colour schemes, else as the README shows them."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, served(f"sqlite:///{data}/auth.db") as url:
        async with chromium() as browser:
            for size in SIZES if everything else ["wide"]:
                for scheme in ["light", "dark"] if everything else ["light"]:
                    suffix = f"-{size}-{scheme}" if everything else ""
                    await visit(browser, f"{url}/auth", size, scheme, folder, suffix)


async def visit(browser: Browser, url: str, size: str, scheme: str, folder: Path, suffix: str) -> None:
    """Go through the pages as a new user, and take a picture of each."""
    width, height = SIZES[size]
    scheme_of = {"light": "light", "dark": "dark"}
    context = await browser.new_context(
        viewport={"width": width, "height": height if suffix else 640},
        color_scheme=scheme_of[scheme],  # type: ignore[arg-type]  # one of its literals
        device_scale_factor=1,
    )
    page = await context.new_page()
    email = f"ada{suffix}@example.com"

    async def shoot(name: str) -> None:
        await page.screenshot(path=folder / f"{name}{suffix}.png", full_page=True)

    await page.goto(f"{url}/register")
    await shoot("register")
    await page.fill("[name=email]", email)
    await page.fill("[name=display_name]", "Ada")
    await page.fill("[name=password]", "password1" if suffix else PASSWORD)
    if suffix:
        await page.click("form button.primary")
        await shoot("register-refused")
        await page.fill("[name=password]", PASSWORD)
    await page.click("form button.primary")
    await shoot("verify-email")
    for name in ("forgot-password", "magic-link", "reset-password?token=x", "magic-link/login?token=x",
                 "confirm-email-change?token=x"):  # fmt: skip
        await page.goto(f"{url}/{name}")
        await shoot(name.partition("?")[0].replace("/", "-"))
    await log_in(page, url, email, shoot if suffix else None)
    await shoot("account")
    if suffix:
        await page.fill("#change_password-current_password", "wrong")
        await page.fill("#change_password-new_password", "short12345")
        await page.click("form[action*=change-password] button.primary")
        await shoot("account-refused")
    await context.close()


async def log_in(page: Page, url: str, email: str, shoot: object = None) -> None:
    """Log in."""
    await page.goto(f"{url}/login")
    if callable(shoot):
        await shoot("login")
        await page.fill("[name=email]", email)
        await page.fill("[name=password]", "wrong")
        await page.click("form button.primary")
        await shoot("login-refused")
    else:
        await page.screenshot(path=FOLDER / "login.png", full_page=True)
    await page.fill("[name=email]", email)
    await page.fill("[name=password]", PASSWORD)
    await page.click("form button.primary")
    await page.wait_for_url("**/account*")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER, everything=len(sys.argv) > 1))
