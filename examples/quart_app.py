"""Quart: decorators guard the views, and `install` answers their errors."""

import os

from quart import Quart, websocket

from asgi_auth import Auth, AuthMiddleware, current_user
from asgi_auth.hosts.quart import install, require

host = Quart(__name__)
install(host)


@host.get("/who")
async def who() -> dict[str, str | None]:
    return {"user": current_user().id or None}


@host.get("/admin")
@require(roles="admin")
async def admin() -> dict[str, str]:
    return {"user": current_user().id}


@host.post("/note")
async def note() -> dict[str, bool]:
    return {"noted": True}


@host.websocket("/socket")
async def socket() -> None:
    await websocket.send(current_user().id)
    await websocket.receive()


auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(host, auth, mount="/auth")
