"""A guard of a host never waits for a thread: that would cost a request more than all of the middleware."""

import threading
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from litestar import Litestar, get
from quart import Quart
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from asgi_auth import AuthMiddleware, Identity
from asgi_auth.hosts import fastapi, litestar, quart, starlette
from asgi_auth.hosts.fastapi import CurrentUser
from tests.support import Client, bearer, login, make_auth, register


def fastapi_host() -> Any:
    app = FastAPI()

    @app.get("/", dependencies=[fastapi.require()])
    async def page(user: CurrentUser, same: Annotated[Identity, fastapi.require()]) -> str:
        assert user.id == same.id
        return user.id

    return app


def starlette_host() -> Any:
    @starlette.login_required
    async def page(_: Request) -> Response:
        return PlainTextResponse("page")

    return Starlette(routes=[Route("/", page)])


def litestar_host() -> Any:
    @get("/", guards=[litestar.login_required, litestar.require()])
    async def page() -> str:
        return "page"

    return Litestar([page])


def quart_host() -> Any:
    app = Quart(__name__)

    @app.get("/")
    @quart.login_required
    async def page() -> str:
        return "page"

    return app


@pytest.mark.parametrize("host", [fastapi_host, starlette_host, litestar_host, quart_host])
async def test_a_guard_starts_no_thread(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with make_auth() as auth:
        await register(auth)
        pair = await login(auth)
        client = Client(AuthMiddleware(host(), auth))

        def refuse(_: threading.Thread) -> None:
            raise AssertionError("a thread was started")

        async def in_a_thread(*_: object, **__: object) -> None:
            raise AssertionError("a thread was asked")

        with monkeypatch.context() as patch:
            patch.setattr("anyio.to_thread.run_sync", in_a_thread)
            patch.setattr("litestar.utils.sync.sync_to_thread", in_a_thread)
            patch.setattr(threading.Thread, "start", refuse)
            answer = await client.get("/", headers=bearer(pair))

    assert answer.status == 200
