"""Django: the guards `@require` and `@login_required`, and `IdentityMiddleware`, which sets `request.identity`.

    # settings.py: 1. Set `request.identity`, and answer the errors of guards.
    MIDDLEWARE = [..., "asgi_auth.hosts.django.IdentityMiddleware"]

    # views.py: 2. Guard sync or async views.
    @require(roles="admin")
    def admin(request: HttpRequest) -> HttpResponse: ...

    # asgi.py: 3. Authenticate, and serve the auth routes.
    application = AuthMiddleware(get_asgi_application(), auth, mount="/auth")

`django.contrib.auth`, `request.user` and the admin work beside it as before. Views read the user of this library with
`request.identity` or `current_user()`.
"""

from typing import Any

try:
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django.apps import apps
    from django.http import HttpRequest, HttpResponse
except ImportError as _error:
    raise ImportError("asgi_auth.hosts.django needs Django: pip install django") from _error

from asgi_auth.errors import AuthError
from asgi_auth.hosts.guard import login_required, require
from asgi_auth.sessions.identity import Identity, current_user
from asgi_auth.web.responses import problem

__all__ = ["IdentityMiddleware", "UserMiddleware", "current_user", "login_required", "require"]


class IdentityMiddleware:
    """Sets `request.identity` for sync and async views, and answers each AuthError of a view. Any place in the list."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        """Take the next middleware or view, and adopt its sync or async mode, which avoids a switch of threads."""
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Set the identity, and call the next middleware or view."""
        self.identify(request)
        return self._get_response(request)

    def identify(self, request: HttpRequest) -> None:
        """Set `request.identity`; anonymous without `AuthMiddleware`, as under a WSGI server."""
        request.identity = current_user()

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer an AuthError with problem+json, as the auth routes do. Django handles all other errors.

        With `Pages`, browsers are led to the page that helps, such as the login page, or get a page with the error.
        """
        if not isinstance(error, AuthError):
            return None
        response = problem(error, getattr(request, "scope", None))
        return HttpResponse(bytes(response.body), status=response.status_code, headers=dict(response.headers))


class UserMiddleware(IdentityMiddleware):
    """Sets `request.user` and `request.auser` as well, where `django.contrib.auth` is not installed."""

    def identify(self, request: HttpRequest) -> None:
        """Set `request.identity`, and the user of a project without Django's own users."""
        super().identify(request)
        if apps.is_installed("django.contrib.auth"):
            return
        identity = current_user()

        async def auser() -> Identity:
            return identity

        request.user = identity
        request.auser = auser
