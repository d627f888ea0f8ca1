"""The guide of the client for browsers in Chromium: a page on another port, and every mistake that the guide names."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext

from tests.cluster import await_answer, free_port
from tests.docs.files import DOCS, ROOT, fences
from tests.support import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="session")
GUIDE = DOCS / "guides" / "browser-client.md"
PAGE, API = "http://localhost:5173", "http://localhost:8000"
#: A busy machine refuses logins with the cost of production.
CHEAP = "Passwords(argon2=Argon2.cheap())"
#: The mistakes that the guide names: what is changed in its app.
APPS = {
    "right": ("", ""),
    "untrusted": ("    trusted_origins=[page],  # and may send the cookies\n", ""),
    "other site": ('page = "http://localhost:', 'page = "http://127.0.0.1:'),
    "mails": ("mail=False", "mail=True"),
}
SERVER = """
import asyncio, sys, uvicorn
from pathlib import Path

async def main():
    servers = []
    for name, port in zip(sys.argv[1::2], sys.argv[2::2]):
        found = {}
        exec(compile(Path(name).read_text("utf-8"), name, "exec"), found)
        servers.append(uvicorn.Server(uvicorn.Config(found["app"], port=int(port), log_level="error")))
    await asyncio.gather(*(server.serve() for server in servers))

asyncio.run(main())
"""
#: A visit of a page: a registration and a login, or why one of them failed.
VISIT = """
globalThis.result = (async () => {
  const account = { email: `ada-${crypto.randomUUID()}@example.com`, password: "correct horse battery" };
  let answer;
  try {
    answer = await auth.register(account);
    return [Object.keys(answer).includes("user"), (await auth.login(account)).user.email === account.email, ""];
  } catch (error) {
    return [Boolean(answer?.user), error.code, error.message];
  }
})();
"""


class Site:
    """The app of the guide, with and without its mistakes, in one process, and a server of pages on another port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = {name: free_port() for name in APPS}
        self._page = free_port()
        self._numbers = itertools.count()
        [code] = [code for code in fences(GUIDE, "python") if "CORSMiddleware" in code]
        code = code.replace("mail=False", f"mail=False, passwords={CHEAP}")
        for name, (right, wrong) in APPS.items():
            assert right in code
            text = code.replace(right, wrong, 1) if right else code
            text = self.placed(f"from asgi_auth import Argon2, Passwords\n{text}", name)
            (folder / f"{name}.py").write_text(text, "utf-8")
        (folder / "server.py").write_text(SERVER, "utf-8")

    def placed(self, text: str, name: str) -> str:
        """Return a text of the guide with the ports of an app and of the pages."""
        return text.replace(API, f"http://localhost:{self._ports[name]}").replace(":5173", f":{self._page}")

    @contextmanager
    def served(self) -> Iterator[None]:
        """Run both servers."""
        arguments = [part for name, port in self._ports.items() for part in (f"{name}.py", str(port))]
        static = ["-m", "http.server", "--bind", "127.0.0.1", str(self._page)]
        environment = {"PATH": os.environ["PATH"], "AUTH_SECRET": SECRET, "PYTHONPATH": str(ROOT)}
        quiet: dict[str, Any] = {"cwd": self._folder, "env": environment, "stdout": subprocess.DEVNULL}
        with (
            subprocess.Popen([sys.executable, "server.py", *arguments], **quiet) as apps,
            subprocess.Popen([sys.executable, *static], stderr=subprocess.DEVNULL, **quiet) as pages,
        ):
            try:
                for port in self._ports.values():
                    await_answer(f"http://127.0.0.1:{port}/auth/health")
                await_answer(f"http://127.0.0.1:{self._page}")
                yield
            finally:
                apps.terminate()
                pages.terminate()

    async def visited(self, context: BrowserContext, host: str, script: str) -> Any:
        """Open a page with a script on a host, as a development server serves it; return its `result`."""
        # Browsers keep files of a server that says nothing of their age.
        name = f"page{next(self._numbers)}"
        (self._folder / f"{name}.js").write_text(script, "utf-8")
        html = f'<!doctype html><script type="module" src="/{name}.js"></script><body>'
        (self._folder / f"{name}.html").write_text(html, "utf-8")
        page = await context.new_page()
        await page.goto(f"http://{host}:{self._page}/{name}.html")
        await page.wait_for_function("globalThis.result", timeout=15_000)
        result = await page.evaluate("result")
        await page.close()
        return result


async def test_a_page_on_another_port(browser: Browser, tmp_path: Path) -> None:
    [script] = [code for code in fences(GUIDE, "javascript") if API in code]
    made, site = script[: script.index("const account")], Site(tmp_path)
    # A page of an origin that is not listed cannot load the module: it has a copy, as a bundler makes it.
    copy = (ROOT / "asgi_auth/features/browser_client/client.js").read_text("utf-8")
    client = made.partition("\n")[2].replace("createClient()", f"createClient({{ base: '{API}/auth' }})")
    with site.served():
        async with await browser.new_context() as context:
            whole = f"{script}globalThis.result = [hello.status, document.body.textContent, (await auth.session()).id];"
            status, shown, user = await site.visited(context, "localhost", site.placed(whole, "right"))
            assert (status, shown) == (200, f'"{user}"')

            async def told(name: str, host: str) -> Any:
                await context.clear_cookies()
                return await site.visited(context, host, site.placed(f"{copy}{client}{VISIT}", name))

            assert await told("right", "localhost") == [True, True, ""]
            assert (await told("right", "127.0.0.1"))[:2] == [False, "offline"]
            assert (await told("untrusted", "localhost"))[:2] == [False, "cross_site_request"]
            found = await told("other site", "127.0.0.1")
            assert found[1] == "cross_site_request"
            assert "another site" in found[2]
            assert (await told("mails", "localhost"))[:2] == [False, "invalid_credentials"]
