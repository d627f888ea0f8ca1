"""BlackSheep: an exception handler answers the errors of `require`."""

import os

from blacksheep import Application, Content, Request, Response, WebSocket, json

from asgi_auth import Auth, AuthError, AuthMiddleware, current_user, problem


async def who() -> Response:
    return json({"user": current_user().id or None})


async def admin() -> Response:
    return json({"user": current_user().require(roles="admin").id})


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(current_user().id)
    await websocket.receive_text()


async def refused(_app: Application, _request: Request, error: AuthError) -> Response:
    response = problem(error)
    del response.headers["content-type"], response.headers["content-length"]  # Content sets both headers
    return Response(
        response.status_code, response.raw_headers, Content(b"application/problem+json", bytes(response.body))
    )


host = Application()
host.exceptions_handlers[AuthError] = refused
host.router.add_get("/who", who)
host.router.add_get("/admin", admin)
host.router.add_post("/note", lambda: {"noted": True})
host.router.add_ws("/socket", socket)
auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(host, auth, mount="/auth")
