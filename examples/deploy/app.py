"""The app of the deployment guide: pages, an endpoint for `auth_request`, and a websocket.

Everything that differs between machines comes from the environment: `AUTH_DATABASE_URL`, `AUTH_SECRET` or
`AUTH_SECRET_FILE`, `AUTH_BASE_URL`, `AUTH_TRUSTED_PROXIES`.
"""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from asgi_auth import Auth, AuthMiddleware, Pages, Settings
from asgi_auth.features.defaults import defaults


async def home(request: Request) -> JSONResponse:
    """Show what the app sees of a request."""
    return JSONResponse({"user": request.user.id or None, "url": str(request.url)})


async def session(request: Request) -> Response:
    """Answer a proxy that asks whether a request is logged in: 204 with the user, or 401."""
    if not request.user.is_authenticated:
        return Response(status_code=401)
    return Response(status_code=204, headers={"X-User": request.user.id, "X-Roles": ",".join(request.user.roles)})


async def live(websocket: WebSocket) -> None:
    """Greet the user by a websocket."""
    await websocket.accept()
    await websocket.send_text(websocket.user.id)
    async for _ in websocket.iter_text():
        pass


site = Starlette(routes=[Route("/", home), Route("/session", session), WebSocketRoute("/live", live)])
auth = Auth(
    os.environ["AUTH_DATABASE_URL"],
    settings=Settings.from_env(enumeration="tell"),  # this example sends no mail
    features=[*defaults(mail=False), Pages()],
)
app = AuthMiddleware(site, auth, mount="/auth")
