"""Permissions in the guards of every host."""

from typing import Annotated, Any

import pytest
from a2wsgi import WSGIMiddleware
from fastapi import FastAPI
from flask import Flask
from litestar import Litestar, get
from quart import Quart
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from asgi_auth import Auth, AuthMiddleware, Identity, require
from asgi_auth.hosts import fastapi, flask, litestar, quart, starlette
from tests.hosts.forms import build
from tests.support import Client, bearer, login, make_auth, register

ROLES = {"editor": ["posts:read", "posts:write"], "reader": ["posts:read"], "guest": ["pages:read"]}
#: The demands of the two routes of each app.
WRITE: Any = {"permissions": "posts:write"}
EITHER: Any = {"permissions": ("posts:write", "posts:read"), "any_of": True}


def page(*_: Any, **__: Any) -> str:
    return "page"


async def answer(request: Request) -> Response:
    return PlainTextResponse(request.user.id)


def by_starlette(auth: Auth) -> Any:
    guarded = {"/write": starlette.require(**WRITE)(answer), "/either": starlette.require(**EITHER)(answer)}
    app = Starlette(routes=[Route(path, endpoint) for path, endpoint in guarded.items()])
    starlette.install(app)
    return AuthMiddleware(app, auth)


def by_fastapi(auth: Auth) -> Any:
    app = FastAPI()
    fastapi.install(app)

    @app.get("/write")
    async def write(user: Annotated[Identity, fastapi.require(**WRITE)]) -> str:
        return user.id

    app.get("/either", dependencies=[fastapi.require(**EITHER)])(lambda: "page")
    return AuthMiddleware(app, auth)


def by_quart(auth: Auth) -> Any:
    app = Quart("quart")
    quart.install(app)
    app.get("/write", endpoint="write")(quart.require(**WRITE)(page))
    app.get("/either", endpoint="either")(quart.require(**EITHER)(page))
    return AuthMiddleware(app, auth)


def by_flask(auth: Auth) -> Any:
    app = Flask("flask")
    flask.install(app)
    app.get("/write", endpoint="write")(flask.require(**WRITE)(page))
    app.get("/either", endpoint="either")(flask.require(**EITHER)(page))
    return AuthMiddleware(WSGIMiddleware(app), auth)  # type: ignore[arg-type]  # WSGI types differ


def by_litestar(auth: Auth) -> Any:
    @get("/write", guards=[litestar.require(**WRITE)], sync_to_thread=False)
    def write() -> str:
        return "page"

    @get("/either", guards=[litestar.require(**EITHER)], sync_to_thread=False)
    def either() -> str:
        return "page"

    return Litestar([write, either], plugins=[litestar.AuthPlugin(auth, mount="/login")])


def by_django(auth: Auth) -> Any:
    """Views behind the middleware of Django; its URLs can be configured only once in a process."""
    build("django", "wrapped")
    from django.http import HttpRequest, HttpResponse

    from asgi_auth.hosts import django

    async def app(scope: Any, receive: Any, send: Any) -> None:
        demand = WRITE if scope["path"] == "/write" else EITHER
        middleware = django.UserMiddleware(django.require(**demand)(lambda _: HttpResponse("page")))
        try:
            found = middleware(HttpRequest())
        except Exception as error:
            found = middleware.process_exception(HttpRequest(), error)
            if found is None:
                raise
        await Response(found.content, found.status_code, dict(found.items()))(scope, receive, send)

    return AuthMiddleware(app, auth)


def by_scope(auth: Auth) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        require(scope, **(WRITE if scope["path"] == "/write" else EITHER))
        await PlainTextResponse("page")(scope, receive, send)

    return AuthMiddleware(app, auth)


HOSTS = [by_starlette, by_fastapi, by_quart, by_flask, by_litestar, by_django, by_scope]


@pytest.mark.parametrize("make", HOSTS)
async def test_a_guard_demands_permissions(make: Any) -> None:
    async with make_auth(permissions=ROLES) as auth:
        user_id = await register(auth)
        client, headers = Client(make(auth)), bearer(await login(auth))
        anonymous = [(await client.get(path)).status for path in ("/write", "/either")]
        found = {}
        for role in ROLES:
            await auth.users.set_roles(user_id, [role])
            found[role] = [await client.get(path, headers=headers) for path in ("/write", "/either")]

    assert anonymous == [401, 401]
    statuses = {role: [answer.status for answer in answers] for role, answers in found.items()}
    assert statuses == {"editor": [200, 200], "reader": [403, 200], "guest": [403, 403]}
    assert found["guest"][0].json["code"] == "forbidden"


@pytest.mark.parametrize("module", [starlette, fastapi, quart, flask, litestar])
def test_a_mistake_in_a_guard_is_an_error_before_the_first_request(module: Any) -> None:
    with pytest.raises(ValueError, match="is not the name of a permission"):
        module.require(permissions="posts:*")
    with pytest.raises(TypeError, match=r"no demand permission; did you mean permissions[?]$"):
        module.require(permission="posts:write")


async def test_requires_of_starlette_finds_permissions_in_the_scopes() -> None:
    async with make_auth(permissions=ROLES) as auth:
        user_id = await register(auth)
        app = Starlette(routes=[Route("/", requires(["authenticated", "posts:write"])(answer))])
        client = Client(AuthMiddleware(app, auth), bearer(await login(auth)))
        statuses = []
        for role in ("reader", "editor"):
            await auth.users.set_roles(user_id, [role])
            statuses.append((await client.get("/")).status)

    assert statuses == [403, 200]
