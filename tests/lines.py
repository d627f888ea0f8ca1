"""Websockets in process, as a server would hold them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.model.answers import TokenPair
from tests.support import bearer, login, register

Host = Callable[[Scope, Receive, Send], Awaitable[None]]
CLOSE = {"type": "websocket.close", "code": 4401, "reason": "token_revoked"}
DENIAL: dict[str, Any] = {"websocket.http.response": {}}


class Line:
    """One websocket: what the server gives to the app, and what the app sends."""

    def __init__(self, app: Host, headers: dict[str, str] | None = None, **more: Any) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})
        pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {"type": "websocket", "path": "/socket", "root_path": "", "headers": pairs, "subprotocols": [], **more}
        self.task = asyncio.ensure_future(app(scope, self.incoming.get, self.sent.put))

    async def next(self) -> Message:
        return await asyncio.wait_for(self.sent.get(), 5)

    async def rest(self) -> list[Message]:
        """Wait for the app to end; everything else that it has sent."""
        await asyncio.wait_for(self.task, 5)
        return [self.sent.get_nowait() for _ in range(self.sent.qsize())]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept, say who it is, then echo until the end."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": scope["user"].id, "protocols": scope["subprotocols"]})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})
    await send({"type": "websocket.send", "text": f"left {message['code']}"})


@pytest.fixture
async def pair(auth: Auth) -> TokenPair:
    await register(auth)
    return await login(auth)


@pytest.fixture
async def line(auth: Auth, pair: TokenPair) -> AsyncIterator[Line]:
    """A live socket of a user."""
    made = Line(AuthMiddleware(echo, auth), bearer(pair))
    assert (await made.next())["type"] == "websocket.accept"
    assert (await made.next())["text"]
    yield made
    made.task.cancel()


async def user_of(auth: Auth, pair: TokenPair) -> str:
    return (await auth.authenticate(str(pair.access_token))).id
