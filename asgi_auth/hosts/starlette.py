"""Starlette: the guards `@require` and `@login_required`, and `install`, which answers their errors.

    @require(roles="admin")                                # 1. Guard an endpoint.
    async def admin(request: Request) -> Response: ...

    app = Starlette(routes=[Route("/admin", admin)])
    install(app)                                           # 2. Answer the errors of guards.
    app = AuthMiddleware(app, auth, mount="/auth")         # 3. Authenticate, and serve the auth routes.

`request.user`, `request.auth`, and Starlette's own `@requires` need only `AuthMiddleware`.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

from asgi_auth.errors import AuthError
from asgi_auth.hosts.guard import login_required, require
from asgi_auth.sessions.identity import current_user
from asgi_auth.web.responses import WEBSOCKET_UNAUTHORIZED, problem

__all__ = ["current_user", "install", "login_required", "require"]


def install(app: Starlette) -> None:
    """Answer each AuthError of an endpoint with problem+json, as the auth routes do. Websockets are rejected.

    With `Pages`, browsers are led to the page that helps, such as the login page, or get a page with the error.
    """
    app.add_exception_handler(AuthError, _answer)  # type: ignore[arg-type]  # handles requests and websockets


async def _answer(connection: Request | WebSocket, error: AuthError) -> Response | None:
    """Return the response for Starlette to send.

    A websocket gets a response only before it is accepted, and only from a server with the extension
    `websocket.http.response`. Otherwise the websocket is closed.
    """
    if isinstance(connection, WebSocket):
        denial = "websocket.http.response" in (connection.scope.get("extensions") or {})
        if connection.application_state is not WebSocketState.CONNECTING or not denial:
            await connection.close(WEBSOCKET_UNAUTHORIZED, error.code)
            return None
    return problem(error, connection.scope)
