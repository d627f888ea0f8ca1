"""What a host forgets at first: the middleware, the handler of errors, the brackets of a feature. Each is named."""

import logging
from typing import Any

import pytest
from fastapi import Depends, FastAPI

from asgi_auth import Auth, AuthApp, AuthMiddleware, Passwords, Sessions
from asgi_auth import require as require_in
from asgi_auth.errors import UnauthorizedError
from asgi_auth.hosts.fastapi import CurrentUser, install
from asgi_auth.hosts.starlette import login_required
from asgi_auth.middleware import note_answered
from asgi_auth.sessions.guarded import note_missing
from tests.support import SECRET, Client, make_auth


@pytest.fixture(autouse=True)
def unsaid() -> None:
    note_missing.cache_clear()
    note_answered.cache_clear()


def guarded() -> FastAPI:
    api = FastAPI()

    @api.get("/me")
    async def me(user: CurrentUser) -> str:
        return user.id

    @api.get("/decorated")
    async def decorated() -> None:
        await login_required(_nothing)()

    return api


async def _nothing() -> None:
    """Be guarded."""


def said(caplog: pytest.LogCaptureFixture, part: str) -> list[str]:
    return [each.getMessage() for each in caplog.records if part in each.getMessage()]


@pytest.mark.parametrize("path", ["/me", "/decorated"])
async def test_a_guard_without_the_middleware_says_so_once(path: str, caplog: pytest.LogCaptureFixture) -> None:
    api = guarded()
    install(api)
    api.mount("/auth", AuthApp(make_auth()))
    client = Client(api)

    with caplog.at_level(logging.WARNING, "asgi_auth"):
        assert [(await client.get(path)).status for _ in range(3)] == [401] * 3

    [line] = said(caplog, "no AuthMiddleware")
    assert 'serve the app that AuthMiddleware(app, auth, mount="/auth") returns' in line


async def test_a_guard_of_a_bare_app_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UnauthorizedError):
        require_in({"type": "http"})
    assert said(caplog, "no AuthMiddleware")


@pytest.mark.parametrize("path", ["/me", "/decorated"])
async def test_an_anonymous_request_behind_the_middleware_says_nothing(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    api = guarded()
    install(api)

    assert (await Client(AuthMiddleware(api, make_auth(), mount="/auth")).get(path)).status == 401
    assert not said(caplog, "no AuthMiddleware")
    assert not said(caplog, "install(app)")


async def test_a_guard_that_the_framework_answered_with_a_500_says_what_to_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Client(AuthMiddleware(guarded(), make_auth(), mount="/auth"))

    for _ in range(2):
        with pytest.raises(UnauthorizedError):
            await client.get("/me")

    [line] = said(caplog, "install(app)")
    assert "unauthorized" in line


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"features": [Passwords, Sessions()]}, "write Passwords(…)"),
        ({"features": Passwords()}, "features is a list of feature objects"),
        ({"features": "Passwords"}, "features is a list of feature objects"),
        ({"features": [Depends]}, "which is no feature"),
        ({"storage": None}, "not None"),
        ({"storage": object()}, "an object of the type object"),
    ],
)
def test_a_part_of_another_type_is_named(arguments: dict[str, Any], part: str) -> None:
    with pytest.raises(TypeError) as refused:
        Auth(**{"storage": "sqlite://", "secret": SECRET, **arguments})
    assert part in str(refused.value)


@pytest.mark.parametrize("auth", ["sqlite://", None, FastAPI()])
def test_a_middleware_with_its_arguments_in_another_order_is_named(auth: Any) -> None:
    with pytest.raises(TypeError, match=r"AuthMiddleware\(app, auth\)"):
        AuthMiddleware(FastAPI(), auth, mount="/auth")
