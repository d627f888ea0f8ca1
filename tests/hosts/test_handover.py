"""The user in work that a host begins elsewhere: `identity_of` and `acting_as`."""

import asyncio
from collections.abc import Callable, Generator
from io import BytesIO
from typing import Any

import blacksheep
import falcon.asgi
import pytest
import sanic
from django.core.handlers.asgi import ASGIRequest
from fastapi import FastAPI
from fastapi import Request as FastAPIRequest
from flask import request as flask_request
from quart import request as quart_request
from starlette.types import Receive, Scope, Send

from asgi_auth import AuthMiddleware, acting_as, current_user, identity_of
from tests.hosts.forms import load
from tests.hosts.visiting import visit
from tests.support import Client, login, make_auth, register

Seen = dict[str, str]


class Gradio:
    """A request as Gradio hands it to events: it wraps Starlette's, and copies what it returns."""

    def __init__(self, request: Any) -> None:
        self.request = request

    def __getattr__(self, name: str) -> Any:
        if name == "scope":
            raise TypeError("Object of type Identity is not JSON serializable")
        return getattr(self.request, name)


async def test_a_worker_of_the_host_knows_the_user_of_the_request_that_it_is_handed() -> None:
    """As Gradio's events, Litestar's listeners and every job queue do, a task begun at startup takes the work."""
    jobs: asyncio.Queue[Any] = asyncio.Queue()
    seen: Seen = {}

    async def work() -> None:
        request = await jobs.get()
        seen["event"] = current_user().id
        with acting_as(identity_of(request)) as identity:
            seen["handed over"] = current_user().id
            assert current_user() is identity
        seen["afterwards"] = current_user().id
        jobs.task_done()

    api = FastAPI()

    @api.get("/")
    async def page(request: FastAPIRequest) -> str:
        await jobs.put(Gradio(request))
        await jobs.join()
        return "done"

    worker = asyncio.create_task(work())
    user_id = await visit(lambda auth: AuthMiddleware(api, auth))
    await worker

    assert seen == {"event": "", "handed over": user_id, "afterwards": ""}


def falcon_host(seen: list[str]) -> Any:
    class Page:
        async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
            seen.append(identity_of(request).id)
            response.text = "done"

    web = falcon.asgi.App()
    web.add_route("/", Page())
    return web


def blacksheep_host(seen: list[str]) -> Any:
    web = blacksheep.Application(router=blacksheep.Router())

    async def page(request: blacksheep.Request) -> blacksheep.Response:
        seen.append(identity_of(request).id)
        return blacksheep.text("done")

    web.router.add_get("/", page)
    return web


def sanic_host(seen: list[str]) -> Any:
    web = sanic.Sanic("handover")
    # Sanic rewrites its own methods once in a process; a second app would fail to start.
    web.config.TOUCHUP = False

    @web.get("/")
    async def page(request: sanic.Request) -> sanic.HTTPResponse:
        seen.append(identity_of(request).id)
        return sanic.text("done")

    return web


def django_host(seen: list[str]) -> Any:
    load("django", "wrapped")  # configures Django

    async def page(scope: Scope, _: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        seen.append(identity_of(ASGIRequest(scope, BytesIO())).id)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    return page


@pytest.mark.parametrize("host", [falcon_host, blacksheep_host, sanic_host, django_host])
async def test_the_request_objects_of_other_hosts_can_be_handed_over(host: Callable[[list[str]], Any]) -> None:
    seen: list[str] = []
    web = host(seen)

    user_id = await visit(lambda auth: AuthMiddleware(web, auth))

    assert seen == [user_id]


async def test_what_the_middleware_has_not_seen_is_anonymous() -> None:
    forged: Any = {"type": "http", "user": "root", "auth": "root", "asgi_auth": "root"}

    assert not identity_of({"type": "http"}).is_authenticated
    assert not identity_of(forged).is_authenticated
    assert not identity_of({"asgi.scope": forged, "asgi_auth": current_user()}).is_authenticated


@pytest.mark.parametrize("source", [None, "token", 7, flask_request, quart_request], ids=list("abcde"))
def test_an_object_without_a_scope_is_an_error(source: Any) -> None:
    with pytest.raises(TypeError, match="has no ASGI scope"):
        identity_of(source)


@pytest.mark.parametrize("user", [None, "id", {"id": "x"}])
def test_only_an_identity_acts(user: Any) -> None:
    with pytest.raises(TypeError, match="an Identity"), acting_as(user):
        raise AssertionError("the block ran")


async def test_blocks_nest_and_end_with_an_error_and_in_another_context() -> None:
    async with make_auth() as auth:
        ids = [await register(auth, f"{name}@example.com") for name in "ab"]
        ada, bob = [await auth.authenticate((await login(auth, f"{name}@example.com")).access_token) for name in "ab"]

    def generator() -> Generator[str, None, None]:
        with acting_as(ada):
            yield current_user().id

    def failing() -> None:
        with acting_as(ada):
            with acting_as(bob):
                assert current_user().id == ids[1]
            assert current_user().id == ids[0]
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert not current_user().is_authenticated

    begun = generator()
    assert await asyncio.to_thread(next, begun) == ids[0]
    await asyncio.to_thread(begun.close)
    assert not current_user().is_authenticated


async def test_an_app_that_is_called_inside_a_block_knows_the_user_of_its_own_request_alone() -> None:
    seen: list[str] = []

    async def page(_scope: Scope, _receive: Receive, send: Send) -> None:
        seen.append(current_user().id)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with make_auth() as auth:
        await register(auth)
        identity = await auth.authenticate((await login(auth)).access_token)
        with acting_as(identity):
            await Client(AuthMiddleware(page, auth)).get("/")

    assert seen == [""]
