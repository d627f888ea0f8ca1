"""Websockets that are refused: by the middleware, by hosts, before and after they are accepted."""

import os
from typing import Any

from fastapi import FastAPI, WebSocket
from litestar import Litestar, websocket
from litestar import WebSocket as Socket
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from asgi_auth import Auth, AuthApp, AuthMiddleware, require
from asgi_auth.hosts import fastapi, litestar, starlette

auth = Auth("sqlite://", secret=os.environ["AUTH_SECRET"])


async def before(scope: Scope, receive: Receive, _send: Send) -> None:
    await receive()
    require(scope)


async def accepted(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    require(scope)


@starlette.login_required
async def page(_: WebSocket) -> None:
    raise AssertionError("a refused websocket reached the host")


api, web = FastAPI(), Starlette(routes=[WebSocketRoute("/socket", page)])
fastapi.install(api)
starlette.install(web)


@api.websocket("/socket")
async def socket(_: WebSocket, user: fastapi.CurrentUser) -> None:
    raise AssertionError(f"a refused websocket reached the host: {user}")


@websocket("/socket", guards=[litestar.login_required])
async def guarded(socket: Socket[Any, Any, Any]) -> None:
    raise AssertionError(f"a refused websocket reached the host: {socket}")


apps: dict[str, Any] = {
    "required": AuthMiddleware(before, auth, required=True),
    "before": AuthMiddleware(before, auth),
    "accepted": AuthMiddleware(accepted, auth),
    "fastapi": AuthMiddleware(api, auth),
    "starlette": AuthMiddleware(web, auth),
    "litestar": AuthMiddleware(Litestar([guarded]), auth),
    "plugin": Litestar([guarded], plugins=[litestar.AuthPlugin(auth)]),
    "auth": AuthApp(auth),
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a websocket to the app that the first part of its path names."""
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{kind}"
            await send({"type": f"lifespan.{kind}.complete"})
        return
    _, name, path = scope["path"].split("/", 2)
    await apps[name]({**scope, "path": f"/{path}", "raw_path": f"/{path}".encode()}, receive, send)
