"""Quart: `install(app)` answers errors, `@require(roles="admin")` and `@login_required` raise them.

The middleware goes around the app, `AuthMiddleware(app, auth, mount="/auth")`, or where `quart run` and the test
client keep seeing the app itself: `app.asgi_app = AuthMiddleware(app.asgi_app, auth, mount="/auth")`.
"""

try:
    from quart import Quart, Response
except ImportError as error:
    raise ImportError("asgi_auth.hosts.quart needs Quart: pip install quart") from error

from asgi_auth.errors import AuthError
from asgi_auth.hosts.guard import login_required, require
from asgi_auth.sessions.identity import current_user
from asgi_auth.web.responses import problem

__all__ = ["current_user", "install", "login_required", "require"]


def install(app: Quart) -> None:
    """Let the app answer an AuthError of its views and websockets as the auth routes do."""
    app.register_error_handler(AuthError, _answer)


def _answer(error: AuthError) -> Response:
    made = problem(error)
    return Response(bytes(made.body), made.status_code, dict(made.headers))
