"""An MCP server that clients reach with tokens of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from fastmcp import FastMCP
from fastmcp.server.auth import require_scopes
from fastmcp.server.dependencies import get_access_token

from asgi_auth import Auth, AuthMiddleware, Resource
from asgi_auth.hosts.fastmcp import current_user, provider
from tests.hosts.inprocess import running
from tests.hosts.test_mcp import McpClient
from tests.oauth.world import SCOPES, World, make
from tests.support import ORIGIN, Clock

WHO, WRITE = {"name": "whoami", "arguments": {}}, {"name": "write", "arguments": {}}


def server_of(auth: Auth) -> FastMCP[Any]:
    """Make a server whose tools ask FastMCP itself."""
    server: FastMCP[Any] = FastMCP("notes", auth=provider(auth, "/mcp"))

    @server.tool()
    def whoami() -> str:
        token = get_access_token()
        assert token is not None
        return f"{token.subject} {current_user().id} {token.client_id} {' '.join(token.scopes)}"

    @server.tool(auth=require_scopes("notes:write"))
    def write() -> str:
        return "written"

    return server


@asynccontextmanager
async def serving(auth: Auth, server: FastMCP[Any]) -> AsyncIterator[McpClient]:
    app: Any = AuthMiddleware(server.http_app(path="/mcp", stateless_http=True), auth, mount="/auth")
    transport = httpx2.ASGITransport(app=app, client=("192.0.2.99", 1))
    async with running(app), httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield McpClient(client)


async def test_fastmcp_knows_user_client_and_scopes(clock: Clock) -> None:
    auth = make(clock)
    world = World(auth, clock)
    async with serving(auth, server_of(auth)) as client:
        user_id = await world.log_in()
        client_id = await world.register_client()
        narrow = (await world.connect(client_id, scope="notes:read"))["access_token"]
        wide = (await world.connect(client_id))["access_token"]

        who = await client.call(narrow, WHO, None)
        refused = await client.send(narrow, "tools/call", WRITE)
        allowed = await client.call(wide, WRITE, None)
        anonymous = await client.send("", "initialize")

    assert who == f"{user_id} {user_id} {client_id} notes:read"
    assert "written" not in refused.text
    assert allowed == "written"
    assert anonymous.status_code == 401
    assert "resource_metadata=" in anonymous.headers["www-authenticate"]


async def test_a_tool_with_scopes_is_a_challenge_that_clients_can_meet(clock: Clock) -> None:
    auth = make(clock, resources={"/mcp": Resource("Notes", scopes=SCOPES, calls={"write": "notes:write"})})
    world = World(auth, clock)
    async with serving(auth, server_of(auth)) as client:
        await world.log_in()
        narrow = (await world.connect(await world.register_client(), scope="notes:read"))["access_token"]

        refused = await client.send(narrow, "tools/call", WRITE)

    assert refused.status_code == 403
    challenge = refused.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert "notes:write" in challenge


def test_a_provider_is_that_of_a_resource(clock: Clock) -> None:
    for path in ("/other", "/mcp/deeper"):
        with pytest.raises(ValueError, match="no path of a Resource"):
            provider(make(clock), path)
