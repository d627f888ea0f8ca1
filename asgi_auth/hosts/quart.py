"""Quart: the guards `@require` and `@login_required`, and `install`, which answers their errors.

    app = Quart(__name__)
    install(app)                                                        # 1. Answer the errors of guards.

    @app.get("/admin")                                                  # 2. Guard views, below the route decorator.
    @require(roles="admin")
    async def admin() -> str: ...

    app.asgi_app = AuthMiddleware(app.asgi_app, auth, mount="/auth")    # 3. Authenticate, and serve the auth routes.

`AuthMiddleware(app, auth, mount="/auth")` works as well, but `quart run` and the test client need the Quart app itself.
"""

try:
    from quart import Quart, Response, has_request_context, request
except ImportError as _error:
    raise ImportError("asgi_auth.hosts.quart needs Quart: pip install quart") from _error

from asgi_auth.errors import AuthError
from asgi_auth.hosts.guard import login_required, require
from asgi_auth.sessions.identity import current_user
from asgi_auth.web.responses import problem

__all__ = ["current_user", "install", "login_required", "require"]


def install(app: Quart) -> None:
    """Answer each AuthError of a view or websocket with problem+json, as the auth routes do.

    With `Pages`, browsers are led to the page that helps, such as the login page, or get a page with the error.
    """
    app.register_error_handler(AuthError, _answer)


def _answer(error: AuthError) -> Response:
    response = problem(error, request.scope if has_request_context() else None)
    return Response(bytes(response.body), response.status_code, dict(response.headers))
