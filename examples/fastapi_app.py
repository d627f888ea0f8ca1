"""FastAPI: `require` is a dependency. Guarded routes have a lock in /docs."""

import os

from fastapi import FastAPI, WebSocket

from asgi_auth import Auth, AuthMiddleware, current_user
from asgi_auth.hosts.fastapi import install, require

api = FastAPI()
install(api)


@api.get("/who")
async def who() -> dict[str, str | None]:
    return {"user": current_user().id or None}


@api.get("/admin", dependencies=[require(roles="admin")])
async def admin() -> dict[str, str]:
    return {"user": current_user().id}


@api.post("/note")
async def note() -> dict[str, bool]:
    return {"noted": True}


@api.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(current_user().id)
    await websocket.receive_text()


auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(api, auth, mount="/auth")
