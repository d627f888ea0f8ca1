"""FastHTML: routes return elements, and guards lead browsers to the login page."""

import os
from typing import Any

from fasthtml.common import H1, FastHTML
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from asgi_auth import Auth, AuthMiddleware, current_user
from asgi_auth.hosts.starlette import install, login_required, require

host = FastHTML()
install(host)


@host.get("/notes")  # type: ignore[untyped-decorator]  # FastHTML has no types
@login_required
def notes() -> Any:
    return H1(f"Notes of {current_user().id}")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(current_user().id)
    await websocket.receive_text()


host.router.routes[:0] = [
    Route("/who", lambda _: JSONResponse({"user": current_user().id or None})),
    Route("/admin", require(roles="admin")(lambda _: JSONResponse({"user": current_user().id}))),
    Route("/note", lambda _: JSONResponse({"noted": True}), methods=["POST"]),
    WebSocketRoute("/socket", socket),
]
auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(host, auth, mount="/auth")
