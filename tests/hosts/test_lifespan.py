"""Starting and closing: the wrapper handles the lifespan and forwards it. The auth routes work without a lifespan."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from a2wsgi import WSGIMiddleware
from flask import Flask
from hypercorn.middleware.dispatcher import AsyncioDispatcherMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from asgi_auth import AuthApp, AuthMiddleware
from tests.hosts.forms import build
from tests.hosts.inprocess import Messages, running
from tests.support import ORIGIN, Client, make_auth, who


def is_open() -> bool:
    """Whether an `Auth` runs for this loop."""
    return any(task.get_name() == "asgi_auth revocation" for task in asyncio.all_tasks())


async def state_of(request: Request) -> JSONResponse:
    return JSONResponse(request.state.db)


@asynccontextmanager
async def with_state(_: Starlette) -> AsyncIterator[Mapping[str, Any]]:
    yield {"db": 1}


@asynccontextmanager
async def failing(app: Starlette) -> AsyncIterator[None]:
    if app.routes == []:
        raise OSError("no such database")
    yield


async def test_the_wrapper_starts_and_closes_with_the_server() -> None:
    auth = make_auth()

    async with running(AuthMiddleware(who, auth)) as started:
        during = is_open()

    assert (started, during, is_open()) == ({"type": "lifespan.startup.complete"}, True, False)


@pytest.mark.parametrize("place", ["outside", "inside"])
async def test_the_lifespan_of_the_host_runs_and_its_state_is_untouched(place: str) -> None:
    auth, state = make_auth(), dict[str, Any]()
    middleware = [Middleware(AuthMiddleware, auth)] if place == "inside" else []
    host = Starlette(routes=[Route("/", state_of)], lifespan=with_state, middleware=middleware)
    app = AuthMiddleware(host, auth) if place == "outside" else host

    async with running(app, state):
        answer = await Client(app).get("/", scope={"state": state})

    assert (answer.json, state) == (1, {"db": 1})


async def test_a_host_that_fails_to_start_is_heard(caplog: pytest.LogCaptureFixture) -> None:
    auth = make_auth()
    app = AuthMiddleware(Starlette(lifespan=failing), auth)

    async with running(app) as started:
        pass

    assert started["type"] == "lifespan.startup.failed"
    assert "no such database" in started["message"]
    assert not is_open()
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_a_host_that_fails_to_stop_is_heard() -> None:
    async def host(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.failed", "message": "still busy"})

    auth = make_auth()
    to_app, from_app = Messages(), Messages()
    to_app.put_nowait({"type": "lifespan.startup"})
    to_app.put_nowait({"type": "lifespan.shutdown"})

    await AuthMiddleware(host, auth)({"type": "lifespan"}, to_app.get, from_app.put)

    assert from_app.get_nowait() == {"type": "lifespan.startup.complete"}
    assert from_app.get_nowait() == {"type": "lifespan.shutdown.failed", "message": "still busy"}
    assert not is_open()


async def test_a_host_that_knows_no_lifespan_is_tolerated(caplog: pytest.LogCaptureFixture) -> None:
    async def raising(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError("only HTTP here")

    async def returning(_scope: Scope, _receive: Receive, _send: Send) -> None:
        return

    hosts: list[Any] = [raising, returning, WSGIMiddleware(Flask("flask"))]  # type: ignore[arg-type]  # WSGI types

    with caplog.at_level(logging.INFO, "asgi_auth"):
        for host in hosts:
            async with running(AuthMiddleware(host, make_auth())) as started:
                assert started["type"] == "lifespan.startup.complete"

    assert "only HTTP here" in caplog.text


async def test_django_is_tolerated_and_our_start_is_kept() -> None:
    app = build("django", "wrapped")

    async with running(app) as started:
        assert is_open()

    assert started["type"] == "lifespan.startup.complete"
    assert not is_open()


async def test_a_mount_works_without_any_lifespan() -> None:
    auth = make_auth()
    app = Starlette(routes=[Mount("/auth", AuthApp(auth))])

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN) as client:
        answer = await client.post("/auth/register", json={"email": "a@example.com", "password": "correct horse"})

    assert answer.status_code == 201
    await auth.close()


async def test_many_first_requests_start_once() -> None:
    auth = make_auth()
    app = AuthMiddleware(who, auth, mount="/auth")
    body = {"email": "nobody@example.com", "password": "wrong password"}

    answers = await asyncio.gather(*(Client(app).post("/auth/login", body) for _ in range(5)))

    assert {answer.status for answer in answers} == {401}
    assert sum(task.get_name() == "asgi_auth revocation" for task in asyncio.all_tasks()) == 1
    await auth.close()


async def test_a_host_may_compose_our_lifespan_with_its_own() -> None:
    auth = make_auth()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with auth:
            yield

    for composed in (lifespan, auth.lifespan):
        async with running(Starlette(lifespan=composed)):
            during = is_open()

        assert (during, is_open()) == (True, False)


async def test_hypercorns_dispatcher_gives_a_mount_its_lifespan() -> None:
    auth = make_auth()
    app = AsyncioDispatcherMiddleware({"/auth": AuthApp(auth)})  # type: ignore[dict-item]  # own ASGI types

    async with running(app):  # type: ignore[arg-type]  # the same
        during = is_open()

    assert (during, is_open()) == (True, False)


def test_every_test_client_has_a_loop_of_its_own(tmp_path: Any) -> None:
    auth = make_auth(f"sqlite:///{tmp_path}/auth.db")
    app = AuthMiddleware(who, auth, mount="/auth")
    account = {"email": "ada@example.com", "password": "correct horse battery"}

    with TestClient(app) as client:
        registered = client.post("/auth/register", json=account)
    with TestClient(app) as client:
        logged_in = client.post("/auth/login", json=account)

    assert (registered.status_code, logged_in.status_code) == (201, 200)


def test_a_test_client_works_without_with(tmp_path: Any) -> None:
    auth = make_auth(f"sqlite:///{tmp_path}/auth.db")
    client = TestClient(AuthMiddleware(who, auth, mount="/auth"))
    account = {"email": "ada@example.com", "password": "correct horse battery"}

    statuses = [client.post(path, json=account).status_code for path in ("/auth/register", "/auth/login")]

    assert statuses == [201, 200]


def test_a_test_client_closes_cleanly(tmp_path: Any) -> None:
    auth = make_auth(f"sqlite:///{tmp_path}/auth.db")

    with TestClient(AuthMiddleware(who, auth, mount="/auth")) as client:
        client.get("/auth/me")

    assert gc.collect() >= 0
