"""Flask: the guards `@require` and `@login_required`, and `install`, which answers their errors.

    web = Flask(__name__)
    install(web)                                                    # 1. Answer the errors of guards.

    @web.get("/admin")                                              # 2. Guard views, below the route decorator.
    @require(roles="admin")
    def admin() -> str: ...

    app = AuthMiddleware(WSGIMiddleware(web), auth, mount="/auth")  # 3. Authenticate, and serve the auth routes.

`WSGIMiddleware` of a2wsgi makes an ASGI app from the Flask app. Views read the user with `current_user()`.
"""

try:
    from flask import Flask, Response, request
except ImportError as _error:
    raise ImportError("asgi_auth.hosts.flask needs Flask: pip install flask a2wsgi") from _error

from asgi_auth.errors import AuthError
from asgi_auth.hosts.guard import login_required, require
from asgi_auth.sessions.identity import current_user
from asgi_auth.web.responses import problem

__all__ = ["current_user", "install", "login_required", "require"]


def install(app: Flask) -> None:
    """Answer each AuthError of a view with problem+json, as the auth routes do.

    With `Pages`, browsers are led to the page that helps, such as the login page, or get a page with the error. That
    needs the scope of the request, which a2wsgi passes on, and `WsgiToAsgi` of asgiref does not.
    """
    app.register_error_handler(AuthError, _answer)


def _answer(error: AuthError) -> Response:
    response = problem(error, request.environ.get("asgi.scope"))
    return Response(bytes(response.body), response.status_code, dict(response.headers))
