"""Chromium for the tests, and a server for it to visit."""

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from playwright.async_api import Browser, async_playwright

from tests.cluster import await_answer, free_port
from tests.support import SECRET

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip


def program() -> str:
    """Find the browser; a machine without one fails the tests instead of passing them over."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    found = os.environ.get("ASGI_AUTH_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise RuntimeError("Chromium is missing: run `make browser`, or name its program in ASGI_AUTH_CHROMIUM")
    return found


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run the browser."""
    executable = program()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield browser
        await browser.close()


@contextmanager
def served(database_url: str, **variables: str) -> Iterator[str]:
    """Run the app in a process of its own, with further environment variables; give its address."""
    port = free_port()
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "uvicorn", "tests.browser.app:app", "--port", str(port), "--log-level", "warning"]
    environment = {**os.environ, "AUTH_DATABASE_URL": database_url, "AUTH_SECRET": SECRET, "AUTH_BASE_URL": url}
    environment |= variables
    with subprocess.Popen(command, env=environment) as process:
        try:
            await_answer(f"http://127.0.0.1:{port}")
            yield url
        finally:
            process.terminate()
