"""How each contender is installed, started and called."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).parent / "requirements"

#: The password of all users.
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Call:
    """A request: `{email}` and `{password}` in its body are filled in."""

    method: str
    path: str
    body: Mapping[str, str] = field(default_factory=dict)
    form: bool = False

    def filled(self, email: str = "", password: str = PASSWORD) -> dict[str, Any]:
        """Return the body for a user."""
        return {name: value.format(email=email, password=password) for name, value in self.body.items()}


def pinned(name: str, package: str) -> str:
    """Return the version of a package in the requirements of a contender."""
    (found,) = re.findall(rf'{package}(?:\[.+?\])?(?:==|": ")([\d.]+)', (REQUIREMENTS / name).read_text("utf-8"))
    return str(found)


@dataclass(frozen=True)
class Contender:
    """A library.

    `token` is the way to the token in the JSON answer of a login, or empty where cookies carry it; `header` is how the
    token is sent. `seeds` tells that the app creates its users itself, since a registration waits for a mail.
    """

    name: str
    title: str
    register: Call
    login: Call
    forgot: Call | None
    logout: Call
    token: tuple[str, ...] = ()
    header: tuple[str, str] = ("Authorization", "Bearer {}")
    seeds: bool = False
    node: bool = False

    @property
    def version(self) -> str:
        """The measured version."""
        if self.node:
            return pinned("package.json", self.name.replace("_", "-"))
        if self.name == "asgi_auth":
            return "this one"
        return pinned(f"{self.name}.txt", self.title)


EMAIL_AND_PASSWORD = {"email": "{email}", "password": "{password}"}
OAUTH2_FORM = {"username": "{email}", "password": "{password}"}
ALLAUTH = "/_allauth/app/v1/auth"


def better_auth(name: str, title: str, *, node: bool) -> Contender:
    """Return Better Auth or its port: both have the same endpoints."""
    return Contender(
        name,
        title,
        register=Call("POST", "/api/auth/sign-up/email", {**EMAIL_AND_PASSWORD, "name": "A user"}),
        login=Call("POST", "/api/auth/sign-in/email", EMAIL_AND_PASSWORD),
        forgot=Call("POST", "/api/auth/request-password-reset", {"email": "{email}", "redirectTo": "/reset"}),
        logout=Call("POST", "/api/auth/sign-out"),
        node=node,
    )


CONTENDERS = (
    Contender(
        "asgi_auth",
        "asgi_auth",
        register=Call("POST", "/auth/register", EMAIL_AND_PASSWORD),
        login=Call("POST", "/auth/login", EMAIL_AND_PASSWORD),
        forgot=Call("POST", "/auth/forgot-password", {"email": "{email}"}),
        logout=Call("POST", "/auth/logout"),
        token=("access_token",),
        seeds=True,
    ),
    Contender(
        "fastapi_users",
        "fastapi-users",
        register=Call("POST", "/auth/register", EMAIL_AND_PASSWORD),
        login=Call("POST", "/auth/jwt/login", OAUTH2_FORM, form=True),
        forgot=Call("POST", "/auth/forgot-password", {"email": "{email}"}),
        logout=Call("POST", "/auth/jwt/logout"),
        token=("access_token",),
    ),
    Contender(
        "crudauth",
        "crudauth",
        register=Call("POST", "/register", {**EMAIL_AND_PASSWORD, "username": "{email}"}),
        login=Call("POST", "/login", OAUTH2_FORM, form=True),
        forgot=None,
        logout=Call("POST", "/logout"),
        seeds=True,
    ),
    Contender(
        "allauth",
        "django-allauth",
        register=Call("POST", f"{ALLAUTH}/signup", EMAIL_AND_PASSWORD),
        login=Call("POST", f"{ALLAUTH}/login", EMAIL_AND_PASSWORD),
        forgot=Call("POST", f"{ALLAUTH}/password/request", {"email": "{email}"}),
        logout=Call("DELETE", f"{ALLAUTH}/session"),
        token=("meta", "session_token"),
        header=("X-Session-Token", "{}"),
        seeds=True,
    ),
    better_auth("better_auth_server", "better-auth-server", node=False),
    better_auth("better_auth", "Better Auth", node=True),
)
