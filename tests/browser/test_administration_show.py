"""Administration from an empty folder, by the lines of the guide: the first administrator invites, bans and unbans."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.test_walk import visitor
from tests.browser.visitor import PASSWORD, Visitor
from tests.cluster import await_answer, free_port
from tests.docs.files import DOCS, ROOT, fences
from tests.mail.deliveries import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
ADA, BOB = "ada@example.com", "bob@example.com"


def lines() -> list[str]:
    """Return the lines of the guide."""
    [show] = [code for code in fences(DOCS / "guides" / "administration.md", "sh") if "create-admin" in code]
    return show.splitlines()


@contextmanager
def followed(folder: Path, port: int) -> Iterator[Path]:
    """Run the lines in a folder, but the installation, with another port; give the file of what the server prints."""
    ours, printed = f"{sys.executable} -m", folder / "printed.txt"
    text = "\n".join(lines()[1:]).replace(":8000", f":{port}").replace("python -c", f"{sys.executable} -c")
    create = rf"echo '{PASSWORD}' | {ours} asgi_auth \1 --password-stdin"
    text = re.sub(r"^asgi-auth (.+)$", create, text, flags=re.MULTILINE)
    text = re.sub(r"^uvicorn (.+)$", rf"exec {ours} uvicorn \1 --port {port}", text, flags=re.MULTILINE)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with (
        printed.open("w") as output,
        subprocess.Popen(
            ["bash", "-euc", text], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        ) as server,
    ):
        try:
            await_answer(f"http://127.0.0.1:{port}/auth/login")
            yield printed
        finally:
            server.terminate()


async def token_in(printed: Path) -> str:
    """Return the token of the mail. The server answers before it prints the mail."""

    def found() -> list[str]:
        return re.findall(r"accept-invitation\?token=([\w.-]+)\s", printed.read_text("utf-8"))

    await until(found)
    return found()[-1]


async def test_the_first_administrator_invites_bans_and_unbans(browser: Browser, tmp_path: Path) -> None:
    assert len(lines()) <= 12
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with followed(tmp_path, port) as printed:
        async with visitor(browser, url) as ada, visitor(browser, url) as bob:
            await ada.open("admin")
            await ada.send("login", email=ADA, password=PASSWORD)
            assert ada.place == "/auth/admin"
            await ada.page.get_by_role("link", name="New user").click()
            await ada.send("create_user", email=BOB)
            await ada.sees("The user was created.")

            await bob.open(f"accept-invitation?token={await token_in(printed)}")
            await bob.send("accept_invitation", new_password=PASSWORD)
            assert await logs_in(bob)

            await ada.press("Ban user")
            await ada.sees("The user is banned.")
            assert not await logs_in(bob)
            await ada.press("Enable account")
            await ada.sees("The account is open again.")
            assert await logs_in(bob)


async def logs_in(bob: Visitor) -> bool:
    """Try to log in, as a new browser."""
    await bob.page.context.clear_cookies()
    await bob.open("login?next=account")
    await bob.send("login", email=BOB, password=PASSWORD)
    return bob.place == "/auth/account"
