"""Django in one file: the settings, the views, and the middleware that sets `request.identity`."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.hosts.django import require

settings.configure(
    SECRET_KEY=os.environ["AUTH_SECRET"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["asgi_auth.hosts.django.IdentityMiddleware"],
)


async def who(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": request.identity.id or None})


@require(roles="admin")
def admin(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": request.identity.id})


async def note(_: HttpRequest) -> JsonResponse:
    return JsonResponse({"noted": True})


urlpatterns = [path("who", who), path("admin", admin), path("note", note)]
auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(get_asgi_application(), auth, mount="/auth")
