"""Tools by websocket: no message is judged there, so the client needs the scopes of all tools."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from asgi_auth import AuthMiddleware, Resource
from tests.oauth.world import SCOPES, World, make
from tests.support import Clock, http_scope


@pytest.mark.parametrize(("scope", "reached"), [("notes:read", []), ("notes:read notes:write", ["websocket"])])
async def test_a_websocket_needs_the_scopes_of_all_tools(clock: Clock, scope: str, reached: list[str]) -> None:
    seen: list[str] = []

    async def sockets(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        assert message["type"] != "websocket.accept"

    notes = Resource("Notes", scopes=SCOPES, calls={"read": "notes:read", "write": "notes:write"})
    async with make(clock, resources={"/mcp": notes}) as auth:
        world = World(auth, clock)
        await world.log_in()
        tokens = await world.connect(await world.register_client(), scope=scope)
        shown = [("authorization", f"Bearer {tokens['access_token']}")]
        socket = {**http_scope("GET", "/mcp", shown), "type": "websocket", "scheme": "wss", "subprotocols": []}
        await AuthMiddleware(sockets, auth, mount="/auth")(socket, receive, send)

    assert seen == reached
