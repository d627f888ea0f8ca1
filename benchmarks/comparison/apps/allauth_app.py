"""django-allauth, headless, with Argon2, SQLite, its rate limits, and 20 users; Django's ASGI app."""

import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY=os.environ["COMPARISON_SECRET"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["COMPARISON_FILE"]}},
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "allauth",
        "allauth.account",
        "allauth.headless",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.Argon2PasswordHasher"],
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    HEADLESS_ONLY=True,
    HEADLESS_CLIENTS=("app",),
    HEADLESS_FRONTEND_URLS={
        "account_confirm_email": "/verify/{key}",
        "account_reset_password_from_key": "/reset/{key}",
    },
    ACCOUNT_LOGIN_METHODS={"email"},
    ACCOUNT_SIGNUP_FIELDS=["email*", "password1*"],
    ACCOUNT_EMAIL_VERIFICATION="mandatory",
    USE_TZ=True,
)
django.setup()

from allauth.account.models import EmailAddress  # noqa: E402 (Django must be set up before)
from allauth.headless.internal.sessionkit import authenticate_by_x_session_token  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402


def public(_: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def closed(request: HttpRequest) -> HttpResponse:
    """Look the session up by the header, as allauth's class for Django REST framework does."""
    found = authenticate_by_x_session_token(request.headers.get("X-Session-Token", ""))
    return HttpResponse(str(found.user.pk)) if found else HttpResponse(status=401)


urlpatterns = [path("open", public), path("closed", closed), path("_allauth/", include("allauth.headless.urls"))]
call_command("migrate", verbosity=0)
for number in range(20):
    email = f"user{number}@example.com"
    user = get_user_model().objects.create_user(f"user{number}", email, os.environ["COMPARISON_PASSWORD"])
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
app = get_asgi_application()
