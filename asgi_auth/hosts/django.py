"""Django: the guards `@require` and `@login_required`, and `UserMiddleware`, which sets `request.user`.

    # settings.py: 1. Set `request.user`, and answer the errors of guards.
    MIDDLEWARE = [..., "asgi_auth.hosts.django.UserMiddleware"]

    # views.py: 2. Guard sync or async views.
    @require(roles="admin")
    def admin(request: HttpRequest) -> HttpResponse: ...

    # asgi.py: 3. Authenticate, and serve the auth routes.
    application = AuthMiddleware(get_asgi_application(), auth, mount="/auth")

Views read the user with `request.user` or `await request.auser()`.
"""

from typing import Any

try:
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django.http import HttpRequest, HttpResponse
except ImportError as _error:
    raise ImportError("asgi_auth.hosts.django needs Django: pip install django") from _error

from asgi_auth.errors import AuthError
from asgi_auth.hosts.guard import login_required, require
from asgi_auth.sessions.identity import Identity, current_user
from asgi_auth.web.responses import problem

__all__ = ["UserMiddleware", "current_user", "login_required", "require"]


class UserMiddleware:
    """Sets `request.user` and `request.auser` for sync and async views, and answers each AuthError of a view."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        """Take the next middleware or view, and adopt its sync or async mode, which avoids a switch of threads."""
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Set the user, and call the next middleware or view."""
        identity = current_user()

        async def auser() -> Identity:
            return identity

        request.user = identity
        request.auser = auser
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer an AuthError with problem+json, as the auth routes do. Django handles all other errors.

        With `Pages`, browsers are led to the page that helps, such as the login page, or get a page with the error.
        """
        if not isinstance(error, AuthError):
            return None
        response = problem(error, getattr(request, "scope", None))
        return HttpResponse(bytes(response.body), status=response.status_code, headers=dict(response.headers))
