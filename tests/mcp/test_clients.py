"""MCP clients against real servers: SDKs of Python and TypeScript, each through its life with a user."""

from collections.abc import Coroutine
from typing import Any

import pytest

from tests.mcp.browser import browsing
from tests.mcp.node import TypeScript, TypeScript2
from tests.mcp.python_clients import FastMcp, PythonSdk
from tests.mcp.serving import Server, documents, own_token

Program = type[PythonSdk | FastMcp | TypeScript | TypeScript2]
PROGRAMS: list[Program] = [PythonSdk, FastMcp, TypeScript, TypeScript2]
#: Programs that cannot refresh with what they have kept from another run, and ask their user again instead.
FORGETFUL: list[Program] = [PythonSdk, FastMcp]
ALL, READ = "notes:read notes:write", "notes:read"


async def refused(call: Coroutine[Any, Any, str]) -> str:
    """Return why a call of a tool failed."""
    with pytest.raises((PermissionError, RuntimeError, ExceptionGroup)) as caught:
        await call
    found: BaseException = caught.value
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return str(found)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_program_is_let_in_goes_on_and_asks_again_when_it_must(example: Server, program: Program) -> None:
    async with browsing(example.cookies) as browser:
        made = program(browser, example.url)
        told = await made.call("whoami")
        client_id, tokens = await made.client_id(), await made.tokens()
        asked = browser.opened[0]
        assert told.endswith(f" by {client_id}")
        assert (asked["resource"], asked["scope"], asked["code_challenge_method"]) == (example.url, ALL, "S256")
        assert (tokens["expires_in"], tokens["scope"]) == (3600, ALL)
        assert await made.call("write", text="x") == f"{told.split()[0]} wrote x"
        assert (await made.call("notes")).split("\n")[-1] == "x"

        example.move(3700)
        await made.later()
        assert await made.call("whoami") == told
        assert (await made.tokens())["refresh_token"] != tokens["refresh_token"]
        await example.restart()
        assert await made.call("whoami") == told
        made = await made.restarted()
        assert await made.call("whoami") == told
        assert len(browser.opened) == 1

        example.move(3700)
        await made.later()
        made = await made.restarted()
        assert await made.call("whoami") == told
        assert len(browser.opened) == 1 + FORGETFUL.count(program)
        await browser.disconnect(f"{example.origin}/auth")
        assert await made.call("whoami") == told
        assert len(browser.opened) == 2 + FORGETFUL.count(program)
        # The same client at another port.
        assert browser.opened[-1]["client_id"] == client_id
        assert browser.opened[-1]["redirect_uri"] != asked["redirect_uri"]
        await made.close()

        await browser.disconnect(f"{example.origin}/auth")
        browser.answer = "deny"
        made = program(browser, example.url)
        assert "denied" in await refused(made.call("whoami"))
        assert await browser.disconnect(f"{example.origin}/auth") == []
        await made.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_program_asks_for_more_with_its_document_and_with_no_token_of_others(
    team: Server, program: Program
) -> None:
    async with browsing(team.cookies) as browser, documents(team.documents) as url:
        made = program(browser, team.url)
        told = await made.call("whoami")
        assert told.endswith(f" by {await made.client_id()}")
        assert (browser.opened[0]["scope"], (await made.tokens())["scope"]) == (READ, READ)
        if program is TypeScript:
            # The first SDK refreshes, and gives up when the new token is not enough either.
            assert "403" in await refused(made.call("write", text="x"))
        else:
            assert await made.call("write", text="x") == f"{told.split()[0]} wrote x"
            assert (set(browser.opened[1]["scope"].split()), len(browser.opened)) == (set(ALL.split()), 2)
            assert set((await made.tokens())["scope"].split()) == set(ALL.split())

        before = len(browser.opened)
        other = await made.give(await own_token(team, "/team/auth"))
        assert await other.call("whoami") == told
        assert len(browser.opened) == before + 1
        documented = program(browser, team.url, url)
        assert await documented.call("whoami") == f"{told.split()[0]} by {url}"
        assert browser.opened[-1]["client_id"] == await documented.client_id() == url
        assert {"Documented"} < {*await browser.disconnect(f"{team.origin}/team/auth")}
        for each in (made, other, documented):
            await each.close()
