"""Litestar: the plugin mounts the auth routes, authenticates requests, and answers the errors of guards."""

import os
from typing import Any

from litestar import Litestar, Request, WebSocket, get, post, websocket

from asgi_auth import Auth, Identity
from asgi_auth.hosts.litestar import AuthPlugin, require


@get("/who")
async def who(request: Request[Identity, Identity, Any]) -> dict[str, str | None]:
    return {"user": request.user.id or None}


@get("/admin", guards=[require(roles="admin")])
async def admin(request: Request[Identity, Identity, Any]) -> dict[str, str]:
    return {"user": request.user.id}


@post("/note", status_code=200)
async def note() -> dict[str, bool]:
    return {"noted": True}


@websocket("/socket")
async def live(socket: WebSocket[Identity, Identity, Any]) -> None:
    await socket.accept()
    await socket.send_text(socket.user.id)
    await socket.receive_text()


auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = Litestar([who, admin, note, live], plugins=[AuthPlugin(auth, mount="/auth")])
