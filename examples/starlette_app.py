"""Starlette: the auth routes are mounted, the middleware says who is asking."""

import os

from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

from asgi_auth import Auth, AuthApp, AuthMiddleware

auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])


async def who(request: Request) -> JSONResponse:
    return JSONResponse({"user": request.user.id or None})


@requires("admin")
async def admin(request: Request) -> JSONResponse:
    return JSONResponse({"user": request.user.id})


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.user.id)
    await websocket.receive_text()


app = Starlette(
    routes=[
        Mount("/auth", AuthApp(auth)),
        Route("/who", who),
        Route("/admin", admin),
        WebSocketRoute("/socket", socket),
    ],
    middleware=[Middleware(AuthMiddleware, auth)],
    lifespan=auth.lifespan,
)
