"""Flask, behind `a2wsgi.WSGIMiddleware`: `install(app)` answers errors, `@require` and `@login_required` raise them.

`current_user()` is who is asking. Around it all: `AuthMiddleware(WSGIMiddleware(app), auth, mount="/auth")`.
"""

try:
    from flask import Flask, Response
except ImportError as error:
    raise ImportError("asgi_auth.hosts.flask needs Flask: pip install flask a2wsgi") from error

from asgi_auth.errors import AuthError
from asgi_auth.hosts.guard import login_required, require
from asgi_auth.sessions.identity import current_user
from asgi_auth.web.responses import problem

__all__ = ["current_user", "install", "login_required", "require"]


def install(app: Flask) -> None:
    """Let the app answer an AuthError of its views as the auth routes do."""
    app.register_error_handler(AuthError, _answer)


def _answer(error: AuthError) -> Response:
    made = problem(error)
    return Response(bytes(made.body), made.status_code, dict(made.headers))
