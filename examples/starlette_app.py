"""Starlette with a mount: `AuthApp` serves the auth routes, and `AuthMiddleware` authenticates requests."""

import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from asgi_auth import Auth, AuthApp, AuthMiddleware
from asgi_auth.hosts.starlette import install, require


async def who(request: Request) -> JSONResponse:
    return JSONResponse({"user": request.user.id or None})


@require(roles="admin")
async def admin(request: Request) -> JSONResponse:
    return JSONResponse({"user": request.user.id})


async def note(_: Request) -> JSONResponse:
    return JSONResponse({"noted": True})


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.user.id)
    await websocket.receive_text()


auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
routes: list[BaseRoute] = [Route("/who", who), Route("/admin", admin), Route("/note", note, methods=["POST"])]
routes += [WebSocketRoute("/socket", socket), Mount("/auth", AuthApp(auth))]
app = Starlette(routes=routes, middleware=[Middleware(AuthMiddleware, auth)])
install(app)
