"""The user as hosts see it: in the scope, in their request objects, and from `current_user()`."""

import asyncio
from typing import Any

from a2wsgi import WSGIMiddleware
from asgiref.wsgi import WsgiToAsgi
from flask import Flask
from litestar import Litestar, Request, get
from quart import Quart
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from asgi_auth import AuthApp, AuthMiddleware, current_user
from asgi_auth.hosts.litestar import AuthPlugin
from tests.support import Client, bearer, call, http_scope, login, make_auth, register, who


class PassThrough(BaseHTTPMiddleware):
    """A Starlette middleware that runs the app in a separate task."""

    async def dispatch(self, request: StarletteRequest, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)


async def by_async(_: StarletteRequest) -> Response:
    return PlainTextResponse(current_user().id)


def by_sync(_: StarletteRequest) -> Response:
    return PlainTextResponse(current_user().id)


async def test_starlette_and_its_requires_work_by_shape_alone() -> None:
    async def page(request: StarletteRequest) -> Response:
        return JSONResponse([request.user.display_name, request.user.is_authenticated, request.auth.scopes])

    async with make_auth() as auth:
        user_id = await register(auth)
        await auth.users.set_roles(user_id, ["admin"])
        routes = [Route("/", page), Route("/admin", requires(["authenticated", "admin"])(page))]
        routes.append(Route("/root", requires("root")(page)))
        client = Client(AuthMiddleware(Starlette(routes=routes), auth), bearer(await login(auth)))

        shown, admin, root = [await client.get(path) for path in ("/", "/admin", "/root")]

    assert shown.json == admin.json == [user_id, True, ["authenticated", "admin"]]
    assert root.status == 403


async def test_litestar_has_the_user_in_its_requests_and_in_its_threads() -> None:
    @get("/", sync_to_thread=True)
    def page(request: Request[Any, Any, Any]) -> list[str]:
        return [request.user.id, request.auth.id, current_user().id]

    async with make_auth() as auth:
        user_id = await register(auth)
        app: Any = Litestar([page], plugins=[AuthPlugin(auth)])

        answer = await Client(app, bearer(await login(auth))).get("/")

    assert answer.json == [user_id] * 3


async def test_the_user_is_known_in_async_and_sync_endpoints_below_base_http_middleware() -> None:
    async with make_auth() as auth:
        user_id = await register(auth)
        routes = [Route("/async", by_async), Route("/sync", by_sync)]
        client = Client(
            AuthMiddleware(Starlette(routes=routes, middleware=[Middleware(PassThrough)]), auth),
            bearer(await login(auth)),
        )

        answers = [await client.get(path) for path in ("/async", "/sync")]

    assert [answer.body.decode() for answer in answers] == [user_id, user_id]


async def test_the_user_is_known_in_quarts_sync_handlers_and_under_both_wsgi_adapters() -> None:
    quart, flask = Quart("quart"), Flask("flask")
    quart.get("/")(lambda: current_user().id)
    flask.get("/")(lambda: current_user().id)
    adapters: list[Any] = [WSGIMiddleware, WsgiToAsgi]
    hosts = [quart, *(adapter(flask) for adapter in adapters)]
    async with make_auth() as auth:
        user_id = await register(auth)
        headers = bearer(await login(auth))

        answers = [await Client(AuthMiddleware(host, auth), headers).get("/") for host in hosts]

    assert [answer.body.decode() for answer in answers] == [user_id] * 3


async def test_the_scope_of_the_server_stays_as_it_was() -> None:
    async with make_auth() as auth:
        scope = http_scope("GET", "/")
        before = dict(scope)

        answer = await call(AuthMiddleware(who, auth), scope)

    assert answer.status == 200
    assert scope == before


async def test_no_one_is_known_after_the_request_and_each_request_knows_its_own_user() -> None:
    async def page(_: StarletteRequest) -> Response:
        before = current_user().id
        await asyncio.sleep(0)
        return PlainTextResponse(current_user().id if current_user().id == before else "another")

    async with make_auth() as auth:
        ids = [await register(auth, f"{name}@example.com") for name in "abc"]
        tokens = [bearer(await login(auth, f"{name}@example.com")) for name in "abc"]
        app = AuthMiddleware(Starlette(routes=[Route("/", page)]), auth)

        answers = await asyncio.gather(*(Client(app, token).get("/") for token in tokens * 5))

    assert [answer.body.decode() for answer in answers] == ids * 5
    assert not current_user().is_authenticated


async def test_background_work_still_knows_the_user() -> None:
    seen: list[str] = []

    async def note() -> None:
        seen.append(current_user().id)

    async def page(_: StarletteRequest) -> Response:
        return PlainTextResponse("done", background=BackgroundTask(note))

    async with make_auth() as auth:
        user_id = await register(auth)
        app = AuthMiddleware(Starlette(routes=[Route("/", page)]), auth)

        await Client(app, bearer(await login(auth))).get("/")

    assert seen == [user_id]


async def test_another_middleware_that_takes_the_users_place_does_not_confuse_the_auth_routes() -> None:
    def channels(app: Any) -> Any:
        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "user": "another user", "auth": None}, receive, send)

        return call

    async with make_auth() as auth:
        user_id = await register(auth)
        host = Starlette(routes=[Mount("/auth", AuthApp(auth))], middleware=[Middleware(channels)])

        answer = await Client(AuthMiddleware(host, auth), bearer(await login(auth))).get("/auth/me")

    assert answer.json["id"] == user_id


async def test_the_auth_app_works_without_the_middleware() -> None:
    async with make_auth() as auth:
        user_id = await register(auth)

        answer = await Client(AuthApp(auth), bearer(await login(auth))).get("/me")

    assert answer.json["id"] == user_id


async def test_the_middleware_of_other_users_says_nothing_to_the_auth_app() -> None:
    async with make_auth() as staff, make_auth() as customers:
        user_id = await register(customers)
        host = Starlette(routes=[Mount("/auth", AuthApp(customers))])
        token = bearer(await login(customers))

        answer = await Client(AuthMiddleware(host, staff), token).get("/auth/me")

    assert answer.json["id"] == user_id
