"""Run an app without a server: its lifespan and its websockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from tests.hosts.script import RefusedError
from tests.support import http_scope

Messages = asyncio.Queue[Message]


@asynccontextmanager
async def running(app: ASGIApp, state: dict[str, Any] | None = None) -> AsyncIterator[Message]:
    """Start an app as a server does, yield its startup message, and shut the app down."""
    to_app, from_app = Messages(), Messages()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}}
    task = asyncio.ensure_future(app(scope if state is None else {**scope, "state": state}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    started = await from_app.get()
    try:
        yield started
    finally:
        if started["type"] == "lifespan.startup.complete":
            await to_app.put({"type": "lifespan.shutdown"})
            assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
        await task


class LocalSocket:
    """The client side of a websocket of an app in this process."""

    def __init__(self, to_app: Messages, from_app: Messages) -> None:
        self._to_app = to_app
        self._from_app = from_app

    async def recv(self) -> str:
        message = await self._from_app.get()
        assert message["type"] == "websocket.send", message
        return str(message["text"])

    async def send(self, text: str) -> None:
        await self._to_app.put({"type": "websocket.receive", "text": text})

    async def close_code(self) -> int:
        message = await self._from_app.get()
        assert message["type"] == "websocket.close", message
        await self._to_app.put({"type": "websocket.disconnect", "code": message["code"]})
        return int(message["code"])


class LocalConnect:
    """Opens websockets of an app. `more` are further scope keys, such as root_path."""

    def __init__(self, app: ASGIApp, **more: Any) -> None:
        self._app = app
        self._more = more

    @asynccontextmanager
    async def __call__(self, path: str, headers: list[tuple[str, str]]) -> AsyncIterator[LocalSocket]:
        to_app, from_app = Messages(), Messages()
        await to_app.put({"type": "websocket.connect"})
        scope = websocket_scope(path, headers, **self._more)
        task = asyncio.ensure_future(self._app(scope, to_app.get, from_app.put))
        try:
            first = await from_app.get()
            if first["type"] != "websocket.accept":
                raise RefusedError(first.get("status", 403))
            yield LocalSocket(to_app, from_app)
        finally:
            await to_app.put({"type": "websocket.disconnect", "code": 1000})
            # Some apps raise an error when the client disconnects.
            with suppress(Exception):
                await task


def websocket_scope(path: str, headers: list[tuple[str, str]], **more: Any) -> Scope:
    """The scope of a websocket, as a server creates it."""
    scope = http_scope("GET", path, headers)
    del scope["method"]
    return {**scope, "type": "websocket", "scheme": "ws", "subprotocols": [], "extensions": {}, **more}
