"""A Django project with its own users, sessions and the admin, beside the users of the library.

`python -m tests.hosts.django_admin` visits it and prints what was answered as JSON: Django can be configured once in a
process.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import django
import httpx2
from django.conf import settings

DATA = tempfile.TemporaryDirectory()
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    f"asgi_auth.hosts.django.{os.environ.get('TESTED_MIDDLEWARE', 'IdentityMiddleware')}",
]
OPTIONS = {
    "context_processors": [
        "django.template.context_processors.request",
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
    ]
}
settings.configure(
    SECRET_KEY="x" * 50,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=MIDDLEWARE,
    INSTALLED_APPS=[f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages")],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(DATA.name) / "django.db"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": OPTIONS}],
    STATIC_URL="/static/",
    CSRF_TRUSTED_ORIGINS=["https://app.example.com"],
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
)
django.setup()

from django.contrib import admin  # noqa: E402 (Django is configured before)
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.decorators import method_decorator  # noqa: E402
from django.views import View  # noqa: E402

from asgi_auth import AuthMiddleware, Pages  # noqa: E402
from asgi_auth.hosts.django import login_required, require  # noqa: E402
from tests.support import EMAIL, PASSWORD, cheap, make_auth, register  # noqa: E402

ORIGIN = "https://app.example.com"
#: A navigation of a browser; a test client of https, so that the cookies of both come along.
BROWSER = {"accept": "text/html", "sec-fetch-mode": "navigate", "x-forwarded-proto": "https", "origin": ORIGIN}


def both(request: Any) -> JsonResponse:
    """Both users of a request."""
    return JsonResponse({"django": request.user.get_username(), "here": request.identity.id})


@login_required
async def guarded(request: Any) -> JsonResponse:
    """An async view for the users of the library."""
    user = await request.auser()
    return JsonResponse({"django": user.get_username(), "here": request.identity.id})


@require(roles="boss")
def for_boss(_: HttpRequest) -> JsonResponse:
    """A sync view for a role."""
    return JsonResponse({})


@method_decorator(login_required, name="dispatch")
class ByClass(View):  # type: ignore[misc]  # Django has no types
    """A view by a class."""

    def get(self, request: Any) -> JsonResponse:
        """Answer as the others."""
        return both(request)


urlpatterns = [
    path("admin/", admin.site.urls), path("both", both), path("guarded", guarded), path("boss", for_boss),
    path("class", ByClass.as_view()),
]  # fmt: skip


async def visit() -> dict[str, Any]:
    """Log in at the admin, then at the library, and return the answers by their names."""
    auth = make_auth(features=[*cheap(), Pages()])
    app: Any = AuthMiddleware(get_asgi_application(), auth, mount="/auth")
    found: dict[str, Any] = {"id": await register(auth)}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN, headers=BROWSER) as client:

        async def get(name: str, target: str, **headers: str) -> httpx2.Response:
            answer = await client.get(target, headers=headers)
            is_json = answer.headers["content-type"].endswith("json") if "content-type" in answer.headers else False
            body = answer.json() if is_json else answer.headers.get("location", answer.headers.get("content-type"))
            found[name] = [answer.status_code, body]
            return answer

        await get("a stranger at the admin", "/admin/")
        page = await get("the login page of the admin", "/admin/login/")
        token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        fields = {"username": "root", "password": "root", "csrfmiddlewaretoken": token, "next": "/admin/"}
        entered = await client.post("/admin/login/", data=fields)
        found["the login of the admin"] = [entered.status_code, entered.headers.get("location")]
        await get("the admin", "/admin/")
        await get("a user of Django alone", "/both")
        await get("a guard", "/guarded")
        await get("a guard, by a script", "/guarded", accept="*/*")
        login = {"email": EMAIL, "password": PASSWORD}
        await client.post("/auth/login", json=login, headers={"auth-transport": "cookie", "accept": "*/*"})
        for name, target in {"both users": "/both", "async": "/guarded", "by class": "/class", "role": "/boss"}.items():
            await get(name, target)
        await get("a role, by a script", "/boss", accept="*/*")
        await get("the admin with both", "/admin/auth/user/")
    await auth.close()
    return found


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    get_user_model().objects.create_superuser("root", "root@example.com", "root")
    sys.stdout.write(json.dumps(asyncio.run(visit())))
