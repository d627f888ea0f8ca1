"""The Inspector and mcp-remote through their lives with a user: `make commands` runs this, a part of `make test-full`.

Each start takes seconds: they open a browser, listen for its answer, and keep tokens in files.
"""

from pathlib import Path

import pytest

from tests.mcp.browser import browsing
from tests.mcp.commands import WRITE, Home, Remote
from tests.mcp.serving import Server, own_token

pytestmark = pytest.mark.timeout(300)


async def test_mcp_remote_is_let_in_goes_on_and_asks_again_when_it_must(example: Server, tmp_path: Path) -> None:
    home = Home(tmp_path)
    async with browsing() as browser:
        async with Remote(home, example.url) as remote:
            told = await remote.call("whoami")
            assert told.endswith(f" by {home.opened[0]['client_id']}")
            example.move(3700)
            assert await remote.call("whoami") == told
            await example.restart()
            assert await remote.call("whoami") == told
        example.move(3700)
        async with Remote(home, example.url) as remote:
            assert await remote.call("whoami") == told
            assert len(home.opened) == 1
            await browser.log_in(example.origin)
            assert "MCP CLI Proxy" in await browser.disconnect(f"{example.origin}/auth")
            assert await remote.call("whoami") == told
            assert len(home.opened) == 2
        home.port += 1
        home.keep(await own_token(example, "/auth"))
        async with Remote(home, example.url) as remote:
            assert await remote.call("whoami") == told
        assert (len(home.opened), home.opened[2]["client_id"]) == (3, home.opened[0]["client_id"])
        await browser.disconnect(f"{example.origin}/auth")
        home.environment["ANSWER"] = "deny"
        async with Remote(home, example.url) as remote:
            with pytest.raises(PermissionError, match="access_denied"):
                await remote.call("whoami")
        assert await browser.disconnect(f"{example.origin}/auth") == []


async def test_the_inspector_is_let_in_goes_on_and_asks_again_when_it_must(example: Server, tmp_path: Path) -> None:
    home = Home(tmp_path)
    async with browsing() as browser:
        told = await home.inspect(example.url, "whoami")
        assert told.endswith(f" by {home.opened[0]['client_id']}")
        example.move(3700)
        await example.restart()
        assert await home.inspect(example.url, *WRITE) == f"{told.split()[0]} wrote x"
        assert len(home.opened) == 1
        home.keep(await own_token(example, "/auth"))
        home.port += 1
        assert await home.inspect(example.url, "whoami") == told
        assert (len(home.opened), home.opened[1]["client_id"]) == (2, home.opened[0]["client_id"])
        await browser.log_in(example.origin)
        assert "MCP Inspector" in await browser.disconnect(f"{example.origin}/auth")
        assert await home.inspect(example.url, "whoami") == told
        assert len(home.opened) == 3
        home.environment["ANSWER"] = "deny"
        with pytest.raises(PermissionError, match="access_denied"):
            await home.inspect(example.url, "whoami", "--relogin")
