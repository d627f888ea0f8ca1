"""Browsers in process: clients that ask for cookies, and keep them."""

import pytest

from asgi_auth import Auth, AuthMiddleware
from tests.support import EMAIL, PASSWORD, Client, register, who

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
COOKIE = {"auth-transport": "cookie", "sec-fetch-site": "same-origin"}
ACCESS, REFRESH, DEVICE = "__Host-auth", "__Host-auth-refresh", "__Host-auth-device"


def browser_of(auth: Auth, **headers: str) -> Client:
    return Client(AuthMiddleware(who, auth, mount="/auth"), COOKIE | headers, keep_cookies=True)


@pytest.fixture
async def browser(auth: Auth) -> Client:
    """A browser that is logged in."""
    await register(auth)
    made = browser_of(auth)
    assert (await made.post("/auth/login", ACCOUNT)).status == 200
    return made
