"""Litestar: `AuthPlugin(auth, mount="/auth")` does it all; `guards=[require(roles="admin")]` guards handlers.

`request.user` and `request.auth` are the identity. `merge_openapi(app, auth)` adds the auth routes to the docs.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

try:
    from litestar import Litestar, Request, Response, asgi
    from litestar.config.app import AppConfig
    from litestar.connection import ASGIConnection
    from litestar.enums import ScopeType
    from litestar.exceptions import WebSocketException
    from litestar.handlers import BaseRouteHandler
    from litestar.middleware import DefineMiddleware
    from litestar.openapi.spec import Tag
    from litestar.plugins import InitPluginProtocol
    from litestar.types import Receive, Scope, Send
except ImportError as error:
    raise ImportError("asgi_auth.hosts.litestar needs Litestar: pip install litestar") from error

from asgi_auth.app import AuthApp
from asgi_auth.auth import Auth
from asgi_auth.errors import AuthError
from asgi_auth.hosts.merge import part_of
from asgi_auth.middleware import AuthMiddleware
from asgi_auth.sessions.identity import current_user
from asgi_auth.sessions.identity import require as require_of
from asgi_auth.web.responses import WEBSOCKET_UNAUTHORIZED, problem

__all__ = ["AuthPlugin", "answer", "current_user", "login_required", "merge_openapi", "require"]
Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


class AuthPlugin(InitPluginProtocol):
    """Mounts the auth routes, says who is asking, answers errors, and starts and closes with the app."""

    def __init__(self, auth: Auth | AuthApp, *, mount: str = "/auth") -> None:
        """Take what is served, and where; `auth` may be an `AuthApp` with a selection of routes."""
        self._auth_app = auth if isinstance(auth, AuthApp) else AuthApp(auth)
        self._mount = mount
        self._auth_app.auth.page_urls.mount(mount)

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Add ours to the app's configuration; the app's own auth middlewares leave the auth routes alone."""
        served = self._auth_app

        @asgi(self._mount, is_mount=True, copy_scope=True, opt={"exclude_from_auth": True})
        async def auth_routes(scope: Scope, receive: Receive, send: Send) -> None:
            await served(scope, receive, send)  # type: ignore[arg-type]  # Litestar types scopes more closely

        app_config.route_handlers.append(auth_routes)
        app_config.lifespan.append(served.auth.lifespan)
        app_config.middleware.insert(0, DefineMiddleware(AuthMiddleware, auth=served.auth))  # type: ignore[arg-type]  # as above
        app_config.exception_handlers.setdefault(AuthError, answer)
        return app_config


def answer(_: Request[Any, Any, Any], error: AuthError) -> Response[bytes]:
    """Answer an AuthError as the auth routes do: `exception_handlers={AuthError: answer}` without the plugin."""
    made = problem(error)
    return Response(bytes(made.body), status_code=made.status_code, headers=dict(made.headers))


def merge_openapi(app: Litestar, auth: Auth | AuthApp, *, mount: str = "/auth") -> None:
    """Add the auth routes to the app's document, as they are served below `mount`, once its handlers are there."""
    part, document = part_of(auth, mount), app.openapi_schema
    # Litestar writes plain dictionaries as they are.
    document.paths = (document.paths or {}) | part["paths"]
    components, ours = document.components, part["components"]
    components.schemas = (components.schemas or {}) | ours["schemas"]
    components.responses = (components.responses or {}) | ours["responses"]
    components.security_schemes = (components.security_schemes or {}) | ours["securitySchemes"]
    document.tags = [*(document.tags or []), *(Tag(**tag) for tag in part["tags"])]


def require(*, roles: str | tuple[str, ...] = (), fresh: timedelta | None = None) -> Guard:
    """Make a guard that wants a login, all `roles`, and a login not longer ago than `fresh`."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        try:
            require_of(connection.scope, roles=roles, fresh=fresh)
        except AuthError as error:
            if connection.scope["type"] == ScopeType.HTTP:
                raise
            raise WebSocketException(detail=error.code, code=WEBSOCKET_UNAUTHORIZED) from error

    return guard


login_required = require()
"""The guard that wants a login and no more."""
