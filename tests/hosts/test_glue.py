"""The host modules: the same guards in each, and the parts specific to each framework."""

import importlib
import sys
from datetime import timedelta
from typing import Annotated, Any

import pytest
from a2wsgi import WSGIMiddleware
from fastapi import FastAPI
from flask import Flask
from litestar import Litestar, Router, get, post
from quart import Quart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from asgi_auth import Auth, AuthApp, AuthError, AuthMiddleware, Identity
from asgi_auth.hosts import fastapi, flask, litestar, quart, starlette
from tests.hosts.forms import build, load
from tests.support import EMAIL, PASSWORD, Client, Clock, bearer, login, make_auth, register

HOUR = timedelta(hours=1)


def guarded_starlette(auth: Auth) -> Any:
    @starlette.login_required
    async def page(_: Request) -> Response:
        return PlainTextResponse("page")

    @starlette.require(fresh=HOUR)
    def fresh(_: Request) -> Response:
        return PlainTextResponse("page")

    app = Starlette(routes=[Route("/page", page), Route("/fresh", fresh)])
    starlette.install(app)
    return AuthMiddleware(app, auth)


def guarded_fastapi(auth: Auth) -> Any:
    app = FastAPI()
    fastapi.install(app)

    @app.get("/page")
    async def page(user: fastapi.CurrentUser) -> str:
        return user.id

    @app.get("/fresh")
    def fresh(user: Annotated[Identity, fastapi.require(fresh=HOUR)]) -> str:
        return user.id

    return AuthMiddleware(app, auth)


def guarded_quart(auth: Auth) -> Any:
    app = Quart("quart")
    quart.install(app)
    app.get("/page", endpoint="page")(quart.login_required(lambda: "page"))
    app.get("/fresh", endpoint="fresh")(quart.require(fresh=HOUR)(lambda: "page"))
    return AuthMiddleware(app, auth)


def guarded_flask(auth: Auth) -> Any:
    app = Flask("flask")
    flask.install(app)
    app.get("/page", endpoint="page")(flask.login_required(lambda: "page"))
    app.get("/fresh", endpoint="fresh")(flask.require(fresh=HOUR)(lambda: "page"))
    return AuthMiddleware(WSGIMiddleware(app), auth)  # type: ignore[arg-type]  # WSGI types differ


def guarded_litestar(auth: Auth) -> Any:
    @get("/page", guards=[litestar.login_required], sync_to_thread=False)
    def page() -> str:
        return "page"

    @get("/fresh", guards=[litestar.require(fresh=HOUR)], sync_to_thread=False)
    def fresh() -> str:
        return "page"

    return Litestar([page, fresh], plugins=[litestar.AuthPlugin(AuthApp(auth, exclude=["register"]), mount="/login")])


GUARDED = [guarded_starlette, guarded_fastapi, guarded_quart, guarded_flask, guarded_litestar]


@pytest.mark.parametrize("make", GUARDED)
async def test_login_required_wants_a_login_and_fresh_a_recent_one(make: Any) -> None:
    clock = Clock()
    async with make_auth(clock=clock, access_ttl=2 * 3600) as auth:
        await register(auth)
        client, user = Client(make(auth)), bearer(await login(auth))

        anonymous = [await client.get(path) for path in ("/page", "/fresh")]
        recent = [await client.get(path, headers=user) for path in ("/page", "/fresh")]
        clock.move(3601)
        await auth.revocation.sync()
        page, fresh = [await client.get(path, headers=user) for path in ("/page", "/fresh")]

    assert [(answer.status, answer.json["code"]) for answer in anonymous] == [(401, "unauthorized")] * 2
    assert [answer.status for answer in recent] == [200, 200]
    assert (page.status, fresh.status, fresh.json["code"]) == (200, 401, "fresh_login_required")
    assert "insufficient_user_authentication" in (fresh.header("www-authenticate") or "")
    assert fresh.all("content-type") == ["application/problem+json"]
    assert len(fresh.all("content-length")) == 1


@pytest.mark.parametrize("make", [guarded_starlette, guarded_fastapi, guarded_quart, guarded_flask])
async def test_without_the_middleware_a_guard_lets_no_one_through(make: Any) -> None:
    async with make_auth() as auth:
        await register(auth)

        answer = await Client(make(auth).app, bearer(await login(auth))).get("/page")

    assert (answer.status, answer.json["code"]) == (401, "unauthorized")


async def test_without_the_plugin_a_guard_of_litestar_lets_no_one_through() -> None:
    @get("/", guards=[litestar.require()], sync_to_thread=False)
    def page() -> str:
        return "page"

    app: Any = Litestar([page], exception_handlers={AuthError: litestar.answer})

    answer = await Client(app).get("/")

    assert (answer.status, answer.json["code"]) == (401, "unauthorized")


async def test_the_docs_of_fastapi_show_the_lock_on_guarded_routes_only() -> None:
    schema = load("fastapi", "wrapped").api.openapi()

    assert schema["paths"]["/admin"]["get"]["security"] == [{"asgi_auth": []}]
    assert "security" not in schema["paths"]["/who"]["get"]
    assert schema["components"]["securitySchemes"].keys() == {"asgi_auth"}


@pytest.mark.parametrize("mount", ["/auth", "/api/auth"])
async def test_the_docs_of_litestar_show_the_lock_on_guarded_routes_only(mount: str) -> None:
    async def of_the_host(*_: Any) -> None:
        return None

    @get(["/guarded/{number:int}", "/also"], guards=[litestar.require(roles="admin")], sync_to_thread=False)
    def guarded() -> None:
        return None

    @post("/", sync_to_thread=False)
    def below_a_guard() -> None:
        return None

    @get("/open", guards=[of_the_host], sync_to_thread=False)
    def open_to_all() -> None:
        return None

    @get("/own", guards=[litestar.login_required], security=[{"key": []}], sync_to_thread=False)
    def own() -> None:
        return None

    router = Router("/router", route_handlers=[below_a_guard], guards=[litestar.login_required])
    auth = make_auth()
    app = Litestar([guarded, own, router, open_to_all], plugins=[litestar.AuthPlugin(auth, mount=mount)])
    litestar.merge_openapi(app, auth, mount=mount)

    schema = app.openapi_schema.to_schema()
    prefix, paths = mount[1:].replace("/", "_"), schema["paths"]
    lock: list[dict[str, list[str]]] = [{f"{prefix}_bearer": []}, {f"{prefix}_cookie": []}]
    assert [paths[path]["get"]["security"] for path in ("/guarded/{number}", "/also")] == [lock, lock]
    assert paths["/router"]["post"]["security"] == lock
    assert "security" not in paths["/open"]["get"]
    assert paths["/own"]["get"]["security"] == [{"key": []}]
    assert {name for way in lock for name in way} <= schema["components"]["securitySchemes"].keys()


async def test_the_authorize_button_of_fastapi_logs_in_at_the_token_endpoint() -> None:
    app = FastAPI()
    fastapi.install(app, token_url="api/auth/token")

    @app.get("/")
    async def page(user: fastapi.CurrentUser) -> str:
        return user.id

    async with make_auth() as auth:
        user_id = await register(auth)
        client = Client(AuthMiddleware(app, auth, mount="/api/auth"))
        form = f"grant_type=password&username={EMAIL}&password={PASSWORD}&scope=".replace(" ", "%20").replace(
            "@", "%40"
        )
        kind = {"content-type": "application/x-www-form-urlencoded"}
        flow = app.openapi()["components"]["securitySchemes"]["asgi_auth"]["flows"]["password"]

        token = (await client.post(f"/{flow['tokenUrl']}", body=form.encode(), headers=kind)).json
        answer = await client.get("/", headers=bearer(token["access_token"]))

    assert token["token_type"] == "Bearer"
    assert answer.json == user_id


@pytest.mark.parametrize("path", ["/who", "/admin"])
async def test_django_has_the_user_in_async_and_sync_views(path: str) -> None:
    app, auth = build("django", "wrapped"), load("django", "wrapped").auth
    async with auth:
        user_id = await register(auth, f"django{path[1:]}@example.com")
        await auth.users.set_roles(user_id, ["admin"])

        answer = await Client(app, bearer(await login(auth, f"django{path[1:]}@example.com"))).get(path)

    assert answer.json == {"user": user_id}


async def test_django_offers_the_user_to_its_async_decorators() -> None:
    build("django", "wrapped")
    from django.http import HttpRequest, HttpResponse

    from asgi_auth.hosts.django import UserMiddleware

    answered, request = HttpResponse(), HttpRequest()
    middleware = UserMiddleware(lambda _: answered)

    response = middleware(request)

    assert response is answered
    assert await request.auser() is request.user is request.identity
    assert middleware.process_exception(request, KeyError()) is None


@pytest.mark.parametrize("host", ["fastapi", "litestar", "quart", "django", "flask"])
def test_a_missing_host_is_named(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, host, None)
    monkeypatch.delitem(sys.modules, f"asgi_auth.hosts.{host}", raising=False)
    if host == "django":
        monkeypatch.setitem(sys.modules, "django.http", None)

    with pytest.raises(ImportError, match=f"pip install {host}"):
        importlib.import_module(f"asgi_auth.hosts.{host}")
