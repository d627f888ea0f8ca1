"""Litestar: `AuthPlugin`, which sets up everything, and the guards `require` and `login_required`.

    @get("/admin", guards=[require(roles="admin")])                     # 1. Guard a handler.
    async def admin(request: Request[Identity, Identity, Any]) -> str: ...

    app = Litestar([admin], plugins=[AuthPlugin(auth, mount="/auth")])  # 2. Authenticate, and serve the auth routes.
    merge_openapi(app, auth)                                            # 3. Optional: add the auth routes to the docs.

`request.user` and `request.auth` are the identity of the user. No `AuthMiddleware` is needed: the plugin adds it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, Unpack

try:
    from litestar import Litestar, Request, Response, asgi
    from litestar.config.app import AppConfig
    from litestar.connection import ASGIConnection
    from litestar.enums import ScopeType
    from litestar.exceptions import WebSocketException
    from litestar.handlers import BaseRouteHandler
    from litestar.middleware import DefineMiddleware
    from litestar.openapi.spec import Operation, PathItem, SecurityRequirement, Tag
    from litestar.plugins import InitPluginProtocol
    from litestar.routes import HTTPRoute
    from litestar.types import Receive, Scope, Send
except ImportError as _error:
    raise ImportError("asgi_auth.hosts.litestar needs Litestar: pip install litestar") from _error

from asgi_auth.app import AuthApp
from asgi_auth.auth import Auth
from asgi_auth.errors import AuthError
from asgi_auth.hosts.merge import auth_document, prefix_of
from asgi_auth.middleware import AuthMiddleware
from asgi_auth.sessions.demand import Demand, Demands
from asgi_auth.sessions.identity import current_user
from asgi_auth.sessions.scope import identity_in
from asgi_auth.web.responses import REFUSALS, WEBSOCKET_UNAUTHORIZED, problem

__all__ = ["AuthPlugin", "answer", "current_user", "login_required", "merge_openapi", "require"]
Guard: TypeAlias = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]


class AuthPlugin(InitPluginProtocol):
    """Mounts the auth routes, authenticates requests, answers each AuthError, and starts and closes `auth`."""

    def __init__(self, auth: Auth | AuthApp, *, mount: str = "/auth") -> None:
        """Take the `Auth`, or an `AuthApp` with a selection of routes, and the path for the routes.

        Raises ValueError when the links of mails would lead to another path.
        """
        self._auth_app = auth if isinstance(auth, AuthApp) else AuthApp(auth)
        self._mount = mount
        self._auth_app.auth.page_urls.mount(mount)

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Extend the configuration of the app. Other auth middlewares of the app skip the auth routes."""
        auth_app = self._auth_app

        @asgi(self._mount, is_mount=True, copy_scope=True, opt={"exclude_from_auth": True})
        async def auth_routes(scope: Scope, receive: Receive, send: Send) -> None:
            await auth_app(scope, receive, send)  # type: ignore[arg-type]  # Litestar has narrower types for scopes

        app_config.route_handlers.append(auth_routes)
        app_config.lifespan.append(auth_app.auth.lifespan)
        app_config.middleware.insert(0, DefineMiddleware(AuthMiddleware, auth=auth_app.auth))  # type: ignore[arg-type]  # as above
        app_config.exception_handlers.setdefault(AuthError, answer)
        return app_config


def answer(request: Request[Any, Any, Any], error: AuthError) -> Response[bytes]:
    """Answer an AuthError with problem+json, as the auth routes do; with `Pages`, browsers are led to a page.

    The plugin installs this handler. Without the plugin: `Litestar(…, exception_handlers={AuthError: answer})`.
    """
    response = problem(error, request.scope)
    return Response(bytes(response.body), status_code=response.status_code, headers=dict(response.headers))


def merge_openapi(app: Litestar, auth: Auth | AuthApp, *, mount: str = "/auth") -> None:
    """Add the auth routes to the OpenAPI document of the app. Call this after all handlers are registered.

    Handlers with guards of this module show that they need a login, unless they have a `security` of their own. `mount`
    is the path of the auth routes. Raises ValueError when `mount` is not a path such as `/auth`.
    """
    part, document = auth_document(auth, mount), app.openapi_schema
    # Litestar serializes plain dictionaries unchanged.
    document.paths = (document.paths or {}) | part["paths"]
    components, added = document.components, part["components"]
    components.schemas = (components.schemas or {}) | added["schemas"]
    components.responses = (components.responses or {}) | added["responses"]
    components.security_schemes = (components.security_schemes or {}) | added["securitySchemes"]
    document.tags = [*(document.tags or []), *(Tag(**tag) for tag in part["tags"])]
    prefix = prefix_of(mount)
    _lock(app, document.paths, [{f"{prefix}bearer": []}, {f"{prefix}cookie": []}])


def _lock(app: Litestar, paths: Mapping[str, Any], ways: list[SecurityRequirement]) -> None:
    """Say of the operations with a guard which ways to log in they take."""
    for route in app.routes:
        item = paths.get(route.path_format or "/")
        if not isinstance(route, HTTPRoute) or not isinstance(item, PathItem):
            continue
        for handler in route.route_handlers:
            if any(isinstance(guard, _Guard) for guard in handler.resolve_guards()):
                for method in handler.http_methods:
                    operation = getattr(item, method.lower(), None)
                    if isinstance(operation, Operation) and operation.security is None:
                        operation.security = ways


class _Guard:
    """A guard with its demand, which the OpenAPI document recognizes."""

    def __init__(self, demand: Demand) -> None:
        self._demand = demand

    # Async, because Litestar calls plain functions in a thread.
    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        """Raise AuthError; for a websocket, the exception with which Litestar closes it."""
        try:
            await identity_in(connection.scope).admit(self._demand)
        except AuthError as error:
            if connection.scope["type"] == ScopeType.HTTP:
                raise
            refusals: Any = connection.scope.get(REFUSALS, [])
            refusals.append(error)
            raise WebSocketException(detail=error.code, code=WEBSOCKET_UNAUTHORIZED) from error


def require(**demands: Unpack[Demands]) -> Guard:
    """Return a guard that requires a login which meets the demands: those of `Identity.require`.

    The guard raises UnauthorizedError, ForbiddenError, FreshLoginRequiredError, SecondFactorNeededError, or
    EmailNotVerifiedError. A websocket is refused by an HTTP answer if the server can send one, else by close code 4401.
    """
    return _Guard(Demand(**demands))


login_required: Guard = require()
"""A guard that requires a login: the same as `require()`."""
