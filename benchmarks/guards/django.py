"""Django, with a decorator and an async view."""

from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path as url

from asgi_auth.hosts.django import login_required
from benchmarks.guards import ROUTES, passed


def make() -> Any:
    """Make the app."""

    async def home(_: HttpRequest) -> HttpResponse:
        return HttpResponse("ok")

    views = (home, passed(home), login_required(home))
    patterns = tuple(url(path[1:], view) for path, view in zip(ROUTES, views, strict=True))
    if not settings.configured:
        settings.configure(ROOT_URLCONF=patterns, ALLOWED_HOSTS=["*"], SECRET_KEY="x" * 50, LOGGING_CONFIG=None)
    return get_asgi_application()
