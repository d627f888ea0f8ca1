"""The demand of a verified address, in the guards of every host: as the database has it."""

from typing import Annotated, Any

import pytest
from a2wsgi import WSGIMiddleware
from fastapi import FastAPI
from flask import Flask
from litestar import Litestar, get
from quart import Quart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from asgi_auth import Auth, AuthMiddleware, Identity, admit, require
from asgi_auth.errors import EmailNotVerifiedError, UnauthorizedError
from asgi_auth.hosts import fastapi, flask, litestar, quart, starlette
from asgi_auth.sessions.identity import ANONYMOUS
from tests.hosts.forms import build
from tests.support import Client, bearer, login, make_auth, register


def by_starlette(auth: Auth) -> Any:
    @starlette.require(verified=True)
    async def page(_: Request) -> Response:
        return PlainTextResponse("page")

    app = Starlette(routes=[Route("/", page)])
    starlette.install(app)
    return AuthMiddleware(app, auth)


def by_starlette_in_a_thread(auth: Auth) -> Any:
    app = Starlette(routes=[Route("/", starlette.require(verified=True)(lambda _: PlainTextResponse("page")))])
    starlette.install(app)
    return AuthMiddleware(app, auth)


def by_fastapi(auth: Auth) -> Any:
    app = FastAPI()
    fastapi.install(app)

    @app.get("/")
    def page(user: Annotated[Identity, fastapi.require(verified=True)]) -> str:
        return user.id

    return AuthMiddleware(app, auth)


def by_quart(auth: Auth) -> Any:
    app = Quart("quart")
    quart.install(app)

    @app.get("/")
    @quart.require(verified=True)
    async def page() -> str:
        return "page"

    return AuthMiddleware(app, auth)


def by_quart_in_a_thread(auth: Auth) -> Any:
    app = Quart("quart")
    quart.install(app)
    app.get("/", endpoint="page")(quart.require(verified=True)(lambda: "page"))
    return AuthMiddleware(app, auth)


def by_flask(auth: Auth) -> Any:
    app = Flask("flask")
    flask.install(app)
    app.get("/", endpoint="page")(flask.require(verified=True)(lambda: "page"))
    return AuthMiddleware(WSGIMiddleware(app), auth)  # type: ignore[arg-type]  # WSGI types differ


def by_litestar(auth: Auth) -> Any:
    @get("/", guards=[litestar.require(verified=True)], sync_to_thread=False)
    def page() -> str:
        return "page"

    return Litestar([page], plugins=[litestar.AuthPlugin(auth, mount="/login")])


def by_django(auth: Auth) -> Any:
    """A sync view in a thread, as Django runs it; its URLs can be configured only once in a process."""
    build("django", "wrapped")
    from asgiref.sync import sync_to_async
    from django.http import HttpRequest, HttpResponse

    from asgi_auth.hosts import django

    async def app(scope: Any, receive: Any, send: Any) -> None:
        middleware = django.UserMiddleware(django.require(verified=True)(lambda _: HttpResponse("page")))
        try:
            found = await sync_to_async(middleware)(HttpRequest())
        except Exception as error:
            found = middleware.process_exception(HttpRequest(), error)
            if found is None:
                raise
        await Response(found.content, found.status_code, dict(found.items()))(scope, receive, send)

    return AuthMiddleware(app, auth)


def by_scope(auth: Auth) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await admit(scope, verified=True)
        await PlainTextResponse("page")(scope, receive, send)

    return AuthMiddleware(app, auth)


HOSTS = [
    by_starlette,
    by_starlette_in_a_thread,
    by_fastapi,
    by_quart,
    by_quart_in_a_thread,
    by_flask,
    by_litestar,
    by_django,
    by_scope,
]


@pytest.mark.parametrize("make", HOSTS)
async def test_a_guard_demands_a_verified_address_as_it_is_now(make: Any) -> None:
    async with make_auth() as auth, make_auth(auth.storage) as other:
        user_id = await register(auth)
        client, headers = Client(make(auth)), bearer(await login(auth))
        anonymous = await client.get("/")
        unverified = await client.get("/", headers=headers)
        await other.users.set_verified(user_id)
        verified = await client.get("/", headers=headers)
        await other.users.set_verified(user_id, verified=False)
        again = await client.get("/", headers=headers)

    assert [answer.status for answer in (anonymous, unverified, verified, again)] == [401, 403, 200, 403]
    assert unverified.json["code"] == again.json["code"] == "email_not_verified"


async def test_require_judges_a_user_that_was_loaded() -> None:
    async with make_auth() as auth:
        user_id = await register(auth)
        scope = {"asgi_auth": await auth.authenticate((await login(auth)).access_token)}
        with pytest.raises(RuntimeError, match=r"await identity\.load"):
            require(scope, verified=True)
        await scope["asgi_auth"].load()
        with pytest.raises(EmailNotVerifiedError):
            require(scope, verified=True)
        await auth.users.set_verified(user_id)
        scope = {"asgi_auth": await auth.authenticate((await login(auth)).access_token)}
        assert (await admit(scope, verified=True)).id == user_id
        assert require(scope, verified=True).id == user_id

    with pytest.raises(UnauthorizedError):
        require({}, verified=True)


async def test_a_sync_function_on_the_event_loop_gets_an_error_and_not_a_deadlock() -> None:
    async with make_auth() as auth:
        await register(auth)
        identity = await auth.authenticate((await login(auth)).access_token)
        with pytest.raises(RuntimeError, match="a thread beside the running event loop"):
            identity.admit_in_thread(a_demand())
        with pytest.raises(UnauthorizedError):
            ANONYMOUS.admit_in_thread(a_demand())


def a_demand() -> Any:
    from asgi_auth.sessions.demand import Demand

    return Demand(verified=True)
