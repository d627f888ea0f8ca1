"""MCP: `bind_sessions`, for servers of the MCP SDK and of FastMCP over Streamable HTTP.

    web = server.streamable_http_app()                                # 1. FastMCP: server.http_app()
    app = AuthMiddleware(bind_sessions(web), auth, mount="/auth", required=True)

    @server.tool()
    @require(roles="admin")                                           # 2. Guard a tool, below its decorator.
    async def payroll() -> str: ...

Tools read the user of the message that calls them with `current_user()`. A session of MCP can be used by the user who
began it alone; for all others it does not exist. Routes of `custom_route` take the guards of `hosts.starlette`.
"""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, Unpack

try:
    from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
    from mcp.server.auth.provider import AccessToken
    from mcp.server.mcpserver.exceptions import ToolError
except ImportError as _error:
    raise ImportError("asgi_auth.hosts.mcp needs the MCP SDK, 2.0 or later: pip install mcp") from _error

from starlette.types import ASGIApp, Receive, Scope, Send

from asgi_auth.errors import AuthError
from asgi_auth.hosts import guard
from asgi_auth.hosts.guard import F
from asgi_auth.sessions.demand import Demands
from asgi_auth.sessions.identity import current_user
from asgi_auth.sessions.scope import identity_in

__all__ = ["bind_sessions", "current_user", "login_required", "require"]
#: The client of every user: the SDK wants one.
CLIENT = "asgi_auth"


class _BoundSessions:
    """Sets the user of each request for the MCP SDK."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        identity = identity_in(scope)
        if scope["type"] == "http" and identity.is_authenticated:
            # The token of the request is not passed on: the SDK compares the user with the one of the session.
            token = AccessToken(token="", client_id=CLIENT, scopes=identity.scopes, subject=identity.id)
            scope = {**scope, "user": AuthenticatedUser(token)}
        await self._app(scope, receive, send)


def bind_sessions(app: ASGIApp) -> ASGIApp:
    """Let the app of an MCP server bind each of its sessions to the user who begins it.

    A request with the session of another user, or of an anonymous client, gets 404, as for an unknown session. Wrap the
    result in `AuthMiddleware`.
    """
    return _BoundSessions(app)


def require(**demands: Unpack[Demands]) -> Callable[[F], F]:
    """Return a decorator of tools that requires a login which meets the demands: those of `Identity.require`.

    The decorated tool raises ToolError with the reason, which the client is shown.
    """
    guarded = guard.require(**demands)

    def decorate(function: F) -> F:
        inner = guarded(function)

        @wraps(function)
        async def checked_async(*args: Any, **kwargs: Any) -> Any:
            try:
                return await inner(*args, **kwargs)
            except AuthError as error:
                raise ToolError(error.detail) from error

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            try:
                return inner(*args, **kwargs)
            except AuthError as error:
                raise ToolError(error.detail) from error

        return checked_async if iscoroutinefunction(function) else checked  # type: ignore[return-value]  # wraps F

    return decorate


def login_required(function: F) -> F:
    """Require a login: the same as `require()`."""
    return require()(function)
