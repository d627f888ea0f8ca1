"""Starlette: `install(app)` answers errors, `@require(roles="admin")` and `@login_required` raise them.

`request.user`, `request.auth` and Starlette's own `@requires` work without any of this.
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
    """Let the app answer an AuthError of its endpoints as the auth routes do, with a refusal for websockets."""
    app.add_exception_handler(AuthError, _answer)  # type: ignore[arg-type]  # it serves requests and websockets


async def _answer(connection: Request | WebSocket, error: AuthError) -> Response | None:
    """Give the answer for Starlette to send; a websocket that can't take one any more, or ever, is closed."""
    if isinstance(connection, WebSocket):
        denial = "websocket.http.response" in (connection.scope.get("extensions") or {})
        if connection.application_state is not WebSocketState.CONNECTING or not denial:
            await connection.close(WEBSOCKET_UNAUTHORIZED, error.code)
            return None
    return problem(error)
