"""MCP servers: tools know who asks now, and no user can use the session of another."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from asgi_auth import Argon2, AuthMiddleware
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.feature import PasswordService
from asgi_auth.hosts.mcp import bind_sessions
from tests.hosts.forms import load
from tests.hosts.inprocess import running
from tests.support import login, register

WHO = {"name": "whoami", "arguments": {}}
PAYROLL = {"name": "payroll", "arguments": {}}
HEADERS = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
START = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


class McpClient:
    """A client of the protocol that may use any token with any session."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def send(self, token: str, method: str, params: Any = None, session: str | None = None) -> httpx2.Response:
        headers = HEADERS | ({"authorization": f"Bearer {token}"} if token else {})
        headers |= {"mcp-session-id": session} if session else {}
        body: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        body |= {"params": params} if params is not None else {}
        body |= {} if method.startswith("notifications/") else {"id": 1}
        return await self._client.post("/mcp", json=body, headers=headers)

    async def begin(self, token: str) -> str | None:
        """Begin a session, if the server has sessions."""
        answer = await self.send(token, "initialize", START)
        assert answer.status_code == 200, answer.text
        session: str | None = answer.headers.get("mcp-session-id")
        assert (await self.send(token, "notifications/initialized", session=session)).status_code == 202
        return session

    async def call(self, token: str, tool: dict[str, Any], session: str | None) -> str | int:
        """Call a tool; return its text, or the status of a refusal."""
        answer = await self.send(token, "tools/call", tool, session)
        if answer.status_code != 200:
            return answer.status_code
        line = next((text for text in answer.text.splitlines() if text.startswith("data: {")), answer.text)
        return str(json.loads(line.removeprefix("data: "))["result"]["content"][0]["text"])


@asynccontextmanager
async def serving(module: Any, web: Any) -> AsyncIterator[McpClient]:
    auth = module.auth
    auth[PasswordService].hasher = PasswordHasher(Argon2.cheap(), 1, None)
    app: Any = AuthMiddleware(bind_sessions(web), auth, mount="/auth")
    transport = httpx2.ASGITransport(app=app, client=("192.0.2.99", 1))
    async with running(app), httpx2.AsyncClient(transport=transport, base_url="http://app.example.com") as client:
        yield McpClient(client)


def web_of(host: str, module: Any, *, stateless: bool) -> Any:
    if host == "fastmcp":
        return module.server.http_app(stateless_http=stateless)
    security = module.TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return module.server.streamable_http_app(stateless_http=stateless, transport_security=security)


@pytest.mark.parametrize("mode", ["stateful", "stateless"])
@pytest.mark.parametrize("host", ["mcp", "fastmcp"])
async def test_a_tool_knows_who_asks_now_and_a_session_belongs_to_its_user(host: str, mode: str) -> None:
    module, names = load(host, f"{mode} tools"), [f"{mode}-{host}-{number}@example.com" for number in range(2)]
    async with serving(module, web_of(host, module, stateless=mode == "stateless")) as client:
        auth = module.auth
        ada, eve = [await register(auth, name) for name in names]
        hers, other = [(await login(auth, name)).access_token for name in names]
        session, newer = await client.begin(hers), (await login(auth, names[0])).access_token

        own = [await client.call(token, WHO, session) for token in (hers, newer)]
        foreign = [await client.call(token, WHO, session) for token in (other, "")]
        refused = await client.call(hers, PAYROLL, session)
        await auth.users.set_roles(ada, ["admin"])
        await auth.revocation.sync()
        allowed = await client.call(hers, PAYROLL, session)
        anonymous = await client.begin("")
        taken = await client.call(other, WHO, anonymous)
        stranger = await client.call("", WHO, anonymous)

    assert own == [ada, ada]
    assert (session is None) == (mode == "stateless")
    assert "You may not do this" in str(refused)
    assert allowed == ada
    assert "Log in to do this" in str(stranger)
    if session is None:
        assert (foreign[0], taken) == (eve, eve)
        assert "Log in to do this" in str(foreign[1])
    else:
        assert (foreign, taken) == ([404, 404], 404)
