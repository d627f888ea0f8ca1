"""The auth routes are found for each combination of `path` and `root_path` of hosts and servers."""

import asyncio
import threading
from typing import Any

import httpx2
import pytest
from a2wsgi import ASGIMiddleware
from blacksheep import Application
from blacksheep import Router as BlackSheepRouter
from fastapi import APIRouter, FastAPI
from flask import Flask
from hypercorn.middleware.dispatcher import AsyncioDispatcherMiddleware
from litestar import Litestar, get
from litestar.middleware import DefineMiddleware
from quart import Quart
from starlette.applications import Starlette
from starlette.routing import Mount, Router
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client as Wsgi

from asgi_auth import Auth, AuthApp, AuthMiddleware
from asgi_auth.hosts.litestar import AuthPlugin
from asgi_auth.web.paths import route_path
from tests.hosts.inprocess import running
from tests.support import Client, make_auth

OBSERVED = {
    "starlette": ({"path": "/auth/login", "root_path": "/auth", "app_root_path": ""}, "/login"),
    "starlette, trailing slash": ({"path": "/auth/login/", "root_path": "/auth", "app_root_path": ""}, "/login"),
    "starlette, bare mount": ({"path": "/auth/", "root_path": "/auth", "app_root_path": ""}, "/"),
    "uvicorn --root-path": ({"path": "/api/auth/login", "root_path": "/api/auth", "app_root_path": "/api"}, "/login"),
    "hypercorn --root-path": ({"path": "/auth/login", "root_path": "/api/auth", "app_root_path": "/api"}, "/login"),
    "litestar": ({"path": "/login/", "root_path": ""}, "/login"),
    "litestar, bare mount": ({"path": "/", "root_path": ""}, "/"),
    "litestar, root_path": ({"path": "/login/", "root_path": "/api"}, "/login"),
    "litestar, swallowed neighbour": ({"path": "ors/", "root_path": ""}, None),
    "dispatcher, no boundary": ({"path": "/authors", "root_path": "/auth"}, "/authors"),
    "blacksheep": ({"path": "/auth/login", "root_path": "/auth"}, "/login"),
    "root_path with a slash": ({"path": "/auth/login", "root_path": "/auth/"}, "/login"),
    "standalone": ({"path": "/login", "root_path": ""}, "/login"),
}


@pytest.mark.parametrize(("scope", "expected"), OBSERVED.values(), ids=OBSERVED.keys())
def test_the_path_below_a_mount_is_found(scope: dict[str, str], expected: str | None) -> None:
    assert route_path(scope) == expected


@get("/", sync_to_thread=False)
def home() -> None:
    """A route of the host."""


def mounts(auth: Auth | None = None) -> dict[str, Any]:
    """Hosts that mount the auth routes at /auth, each with the mechanism of its framework."""
    auth = auth or make_auth()
    served = AuthApp(auth)
    blacksheep = Application(router=BlackSheepRouter())
    blacksheep.mount("/auth", served)
    fastapi = FastAPI()
    fastapi.mount("/auth", served)
    return {
        "starlette": Starlette(routes=[Mount("/auth", served)]),
        "fastapi": fastapi,
        "litestar": Litestar([home], plugins=[AuthPlugin(auth)]),
        "blacksheep": blacksheep,
        "dispatcher": AsyncioDispatcherMiddleware({"/auth": served, "/": Quart("other")}),  # type: ignore[dict-item]  # own ASGI types
        "wrapper": AuthMiddleware(Quart("host"), auth, mount="/auth"),
    }


HOSTS = sorted(mounts())


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/auth/me", "/auth/me/"])
async def test_a_trailing_slash_changes_nothing(host: str, path: str) -> None:
    app = mounts()[host]

    async with running(app):
        answer = await Client(app).get(path)

    assert (answer.status, answer.json["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("host", HOSTS)
async def test_a_neighbour_whose_name_begins_alike_is_not_ours(host: str) -> None:
    app = mounts()[host]

    async with running(app):
        answers = [await Client(app).get(path) for path in ("/authors", "/authme", "/auth-/me")]

    assert [answer.status for answer in answers] == [404, 404, 404]


@pytest.mark.parametrize("host", HOSTS)
async def test_nothing_is_served_at_the_bare_mount(host: str) -> None:
    app = mounts()[host]

    async with running(app):
        answers = [await Client(app).post(path, {}) for path in ("/auth", "/auth/")]

    assert {answer.status for answer in answers} <= {404, 307}


@pytest.mark.parametrize("host", ["starlette", "fastapi"])
@pytest.mark.parametrize("path", ["/api/auth/me", "/auth/me"])
async def test_mounts_of_starlette_work_in_both_styles_of_servers(host: str, path: str) -> None:
    app = mounts()[host]

    async with running(app):
        answer = await Client(app).get(path, scope={"root_path": "/api"})

    assert answer.status == 401


async def test_the_wrapper_works_in_both_styles_of_servers() -> None:
    app = mounts()["wrapper"]

    async with running(app):
        answers = [await Client(app).get(path, scope={"root_path": "/api"}) for path in ("/api/auth/me", "/auth/me")]

    assert [answer.status for answer in answers] == [401, 401]


async def test_a_proxy_prefix_that_is_the_mount_stands_twice() -> None:
    app = mounts()["wrapper"]

    async with running(app):
        once = await Client(app).get("/auth/me", scope={"root_path": "/auth"})
        twice = await Client(app).get("/auth/auth/me", scope={"root_path": "/auth"})

    assert (once.status, twice.status) == (404, 401)


async def test_mounts_may_be_nested_and_have_parameters() -> None:
    auth = make_auth()
    app = Starlette(routes=[Mount("/v1/{tenant}", app=Router(routes=[Mount("/auth", AuthApp(auth))]))])

    answer = await Client(app).get("/v1/acme/auth/me")

    assert answer.status == 401
    await auth.close()


async def test_fastapi_applies_the_prefix_of_include_router_only() -> None:
    auth = make_auth()
    own, included = APIRouter(prefix="/v1"), APIRouter()
    own.mount("/auth", AuthApp(auth))
    included.mount("/auth", AuthApp(auth))
    by_router, by_include = FastAPI(), FastAPI()
    by_router.include_router(own)
    by_include.include_router(included, prefix="/v1")

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=by_router), base_url="http://test") as client:
        ignored = [(await client.get(path)).status_code for path in ("/v1/auth/me", "/auth/me")]
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=by_include), base_url="http://test") as client:
        applied = [(await client.get(path)).status_code for path in ("/v1/auth/me", "/auth/me")]

    assert (ignored, applied) == ([404, 401], [401, 404])
    await auth.close()


async def test_litestar_gives_a_route_of_its_own_beside_the_mount() -> None:
    @get("/authors", sync_to_thread=False)
    def authors() -> str:
        return "authors"

    app = Litestar([authors], plugins=[AuthPlugin(make_auth())])

    async with running(app):  # type: ignore[arg-type]  # Litestar types scopes more closely
        answer = await Client(app).get("/authors")  # type: ignore[arg-type]  # the same

    assert (answer.status, answer.body) == (200, b"authors")


async def test_blacksheep_takes_the_mount_in_any_case() -> None:
    app = mounts()["blacksheep"]

    async with running(app):
        answer = await Client(app).get("/AUTH/me")

    assert answer.status == 401


async def test_a_litestar_middleware_knows_the_user_but_serves_no_routes() -> None:
    auth = make_auth()
    app: Any = Litestar([home], middleware=[DefineMiddleware(AuthMiddleware, auth=auth, mount="/auth")])  # type: ignore[arg-type]  # own ASGI types

    page, route = await Client(app).get("/"), await Client(app).get("/auth/me")

    assert (page.status, route.status) == (200, 404)


def test_flask_may_stay_on_a_wsgi_server_beside_the_auth_app() -> None:
    auth, loop = make_auth(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    adapter: Any = ASGIMiddleware
    host = DispatcherMiddleware(Flask("flask").wsgi_app, {"/auth": adapter(AuthApp(auth), loop=loop)})
    body = {"email": "ada@example.com", "password": "correct horse battery"}

    statuses = [Wsgi(host).post(path, json=body).status_code for path in ("/auth/register", "/auth/login/", "/authors")]

    assert statuses == [201, 200, 404]
    asyncio.run_coroutine_threadsafe(auth.close(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
