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


async def refused(_app: Application, request: Request, error: AuthError) -> Response:
    response = problem(error, request.scope)
    kind = response.headers.get("content-type", "text/plain").encode()
    headers = [pair for pair in response.raw_headers if not pair[0].startswith(b"content-")]  # Content sets both
    return Response(response.status_code, headers, Content(kind, bytes(response.body)))


host = Application()
host.exceptions_handlers[AuthError] = refused
host.router.add_get("/who", who)
host.router.add_get("/admin", admin)
host.router.add_post("/note", lambda: {"noted": True})
host.router.add_ws("/socket", socket)
auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(host, auth, mount="/auth")
