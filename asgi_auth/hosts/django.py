"""Django: one line in `MIDDLEWARE` sets `request.user` and answers errors; `@require` and `@login_required` raise them.

MIDDLEWARE = [..., "asgi_auth.hosts.django.UserMiddleware"]             # settings.py
application = AuthMiddleware(get_asgi_application(), auth, mount="/auth")  # asgi.py
"""

from typing import Any

try:
    from asgiref.sync import iscoroutinefunction, markcoroutinefunction
    from django.http import HttpRequest, HttpResponse
except ImportError as error:
    raise ImportError("asgi_auth.hosts.django needs Django: pip install django") from error

from asgi_auth.errors import AuthError
from asgi_auth.hosts.guard import login_required, require
from asgi_auth.sessions.identity import Identity, current_user
from asgi_auth.web.responses import problem

__all__ = ["UserMiddleware", "current_user", "login_required", "require"]


class UserMiddleware:
    """Sets `request.user` (and `request.auser`) for sync and async views, and answers an AuthError of theirs."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Any) -> None:
        """Take the next in line; run in its mode, so that Django changes threads no more often than it must."""
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """Set the user, and go on."""
        identity = current_user()

        async def auser() -> Identity:
            return identity

        request.user = identity
        request.auser = auser
        return self._get_response(request)

    def process_exception(self, _: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer an AuthError as the auth routes do; all else is Django's business."""
        if not isinstance(error, AuthError):
            return None
        made = problem(error)
        return HttpResponse(bytes(made.body), status=made.status_code, headers=dict(made.headers))
