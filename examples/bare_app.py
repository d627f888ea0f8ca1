"""Plain ASGI without a framework: `require` checks the user of the scope, `problem` makes the error response."""

import os

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from asgi_auth import Auth, AuthError, AuthMiddleware, problem, require


async def host(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        try:
            response = answer(scope)
        except AuthError as error:
            response = problem(error, scope)
        await response(scope, receive, send)
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": scope["user"].id})
        await receive()


def answer(scope: Scope) -> Response:
    match scope["method"], scope["path"].removeprefix(scope.get("root_path", "")):
        case "GET", "/who":
            return JSONResponse({"user": scope["user"].id or None})
        case "GET", "/admin":
            return JSONResponse({"user": require(scope, roles="admin").id})
        case "POST", "/note":
            return JSONResponse({"noted": True})
    return JSONResponse({"detail": "Not found."}, 404)


auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(host, auth, mount="/auth")
