"""A browser with cookies of two domains: a service whose `cookie_domain` was widened."""

import json
from collections.abc import Callable
from typing import Any, Self

import pytest

from asgi_auth import Auth, AuthMiddleware
from tests.browsers import ACCOUNT, COOKIE, browser_of
from tests.support import PASSWORD, Answer, Clock, call, http_scope, make_auth, register, who

EVE = {"email": "eve@example.com", "password": PASSWORD}
DOMAIN, DOMAIN_REFRESH = "__Secure-auth", "__Secure-auth-refresh"


def line(*jars: dict[str, str]) -> dict[str, str]:
    """The Cookie header of several jars, each with cookies of another domain."""
    return {"cookie": "; ".join(f"{name}={value}" for jar in jars for name, value in jar.items())}


async def entered(auth: Auth, account: dict[str, str] = ACCOUNT) -> dict[str, str]:
    """Log in with a new browser; return its cookies."""
    browser = browser_of(auth)
    assert (await browser.post("/auth/login", account)).status == 200
    return browser.cookies


class Widened:
    """A service whose `cookie_domain` was widened from a host's own domain to its parent."""

    def __init__(self, url: str) -> None:
        self.clock = Clock()
        options: dict[str, Any] = {"base_url": "https://app.eu.example.com", "clock": self.clock}
        self.before = make_auth(url, cookie_domain="eu.example.com", **options)
        self.now = make_auth(url, cookie_domain="example.com", **options)

    async def __aenter__(self) -> Self:
        await self.before.start()
        await self.now.start()
        await register(self.now)
        await register(self.now, EVE["email"])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.before.close()
        await self.now.close()

    async def seen(self, *jars: dict[str, str], method: str = "GET", path: str = "/", body: Any = None) -> Answer:
        headers = COOKIE | line(*jars) | {"host": "app.eu.example.com", "content-type": "application/json"}
        scope = http_scope(method, path)
        scope["headers"] = [(name.encode(), value.encode()) for name, value in headers.items()]
        app = AuthMiddleware(who, self.now, mount="/auth")
        return await call(app, scope, json.dumps(body).encode() if body else b"")


@pytest.fixture
async def widened(fresh: Callable[[str], str]) -> Any:
    async with Widened(fresh("sqlite")) as made:
        yield made


def deleted(answer: Answer) -> set[tuple[str, str]]:
    """The name and the domain of each cookie that an answer deletes."""
    found = set()
    for text in answer.all("set-cookie"):
        pair, *attributes = text.split("; ")
        if "Max-Age=0" in attributes:
            domain = next((item for item in attributes if item.startswith("Domain=")), "Domain=")
            found.add((pair.partition("=")[0], domain.partition("=")[2]))
    return found
