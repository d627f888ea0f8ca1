"""Errors of the auth routes never reach the handlers of the host. Errors of the host stay with the host."""

import asyncio
from typing import Any

import pytest
from litestar import Litestar
from litestar.middleware import AbstractAuthenticationMiddleware, DefineMiddleware
from quart import Quart, request
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Message, Receive, Scope, Send

from asgi_auth import AuthApp, AuthMiddleware, require
from asgi_auth.feature import Feature, get
from asgi_auth.hosts.litestar import AuthPlugin
from tests.hosts.inprocess import running
from tests.support import ORIGIN, Client, call, http_scope, make_auth, who


class Broken(Feature):
    """A feature with a bug."""

    @get("/broken")
    async def broken(self) -> None:
        """Fail."""
        raise KeyError("a bug")


async def teapot(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("the host's handler", 418)


async def page(_: Request) -> Response:
    return PlainTextResponse("page")


async def test_a_bug_of_a_feature_never_reaches_the_handlers_of_the_host() -> None:
    auth = make_auth(features=[Broken()])
    handlers: Any = {KeyError: teapot, Exception: teapot}
    mounted = Starlette(routes=[Mount("/auth", AuthApp(auth))], exception_handlers=handlers)
    plugged: Any = Litestar([], plugins=[AuthPlugin(auth)], exception_handlers=handlers)

    answers = [await Client(app).get("/auth/broken") for app in (mounted, plugged)]

    assert [(answer.status, answer.json["code"]) for answer in answers] == [(500, "internal_error")] * 2
    assert all(b"a bug" not in answer.body for answer in answers)
    await auth.close()


async def test_404_and_405_are_ours_below_a_mount_of_starlette() -> None:
    auth = make_auth()
    app = Starlette(routes=[Mount("/auth", AuthApp(auth))], exception_handlers={404: teapot, 405: teapot})

    unknown, method, own = [await Client(app).get(path) for path in ("/auth/nothing", "/auth/login", "/nothing")]

    assert (unknown.status, unknown.json["code"]) == (404, "not_found")
    assert (method.status, method.json["code"], method.header("allow")) == (405, "method_not_allowed", "OPTIONS, POST")
    assert own.status == 418
    await auth.close()


async def test_an_error_of_ours_that_a_host_lets_through_is_answered() -> None:
    async def host(scope: Scope, _receive: Receive, _send: Send) -> None:
        require(scope)

    auth = make_auth()

    answer = await Client(AuthMiddleware(host, auth)).get("/")

    assert (answer.status, answer.json["code"]) == (401, "unauthorized")
    assert answer.header("www-authenticate") == "Bearer"


async def test_an_error_after_the_answer_has_begun_is_the_servers_business() -> None:
    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("begun")(scope, receive, send)
        require(scope)

    auth = make_auth()

    with pytest.raises(Exception, match="Log in to do this"):
        await Client(AuthMiddleware(host, auth)).get("/")


async def test_other_errors_of_the_host_stay_the_hosts() -> None:
    async def host(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise LookupError("a bug of the host")

    auth = make_auth()

    with pytest.raises(LookupError, match="a bug of the host"):
        await Client(AuthMiddleware(host, auth)).get("/")


async def test_auth_middlewares_of_a_litestar_host_leave_the_auth_routes_alone() -> None:
    class Deny(AbstractAuthenticationMiddleware):
        async def authenticate_request(self, connection: Any) -> Any:
            raise PermissionError(connection.url.path)

    auth = make_auth()
    app: Any = Litestar([], plugins=[AuthPlugin(auth)], middleware=[DefineMiddleware(Deny)])

    answer = await Client(app).get("/auth/me")

    assert (answer.status, answer.json["code"]) == (401, "unauthorized")
    await auth.close()


@pytest.mark.parametrize("required", [False, True])
async def test_a_preflight_reaches_the_cors_of_the_host(*, required: bool) -> None:
    cors = Middleware(CORSMiddleware, allow_origins=[ORIGIN], allow_credentials=True)
    app = AuthMiddleware(Starlette(routes=[Route("/", page)], middleware=[cors]), make_auth(), required=required)
    headers = {"origin": ORIGIN, "access-control-request-method": "GET"}

    answer = await Client(app).request("OPTIONS", "/", headers=headers)

    assert (answer.status, answer.header("access-control-allow-origin")) == (200, ORIGIN)


async def test_cors_outside_of_the_wrapper_serves_the_auth_routes_too() -> None:
    app = CORSMiddleware(
        AuthMiddleware(who, make_auth(), mount="/auth"), allow_origins=[ORIGIN], allow_methods=["POST"]
    )
    headers = {"origin": ORIGIN, "access-control-request-method": "POST"}

    preflight = await Client(app).request("OPTIONS", "/auth/login", headers=headers)

    assert (preflight.status, preflight.header("access-control-allow-origin")) == (200, ORIGIN)


async def test_an_upload_streams_through_unread() -> None:
    taken: list[Message] = []

    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        assert taken == []
        while (await receive()).get("more_body"):
            """Take it all."""
        await PlainTextResponse("taken")(scope, receive, send)

    chunks = [{"type": "http.request", "body": b"x" * 100_000, "more_body": more} for more in (True, True, False)]
    sent: list[Message] = []

    async def receive() -> Message:
        taken.append(chunks[len(taken)])
        return taken[-1]

    async def send(message: Message) -> None:
        sent.append(message)

    await AuthMiddleware(host, make_auth(), mount="/auth")(http_scope("POST", "/upload"), receive, send)

    assert len(taken) == 3
    assert sent[0]["status"] == 200


async def test_quart_reads_its_body_in_a_task_of_its_own_behind_the_wrapper() -> None:
    quart = Quart("quart")

    @quart.post("/")
    async def echo() -> str:
        return str(await request.get_data(as_text=True))

    app = AuthMiddleware(quart, make_auth())

    answers = await asyncio.gather(*(call(app, http_scope("POST", "/"), b"body") for _ in range(5)))

    assert {answer.body for answer in answers} == {b"body"}


async def test_a_host_may_answer_in_pieces_below_the_wrapper_in_asgi_app() -> None:
    quart = Quart("quart")
    auth = make_auth()
    quart.asgi_app = AuthMiddleware(quart.asgi_app, auth, mount="/auth")  # type: ignore[method-assign, assignment]  # as Quart documents

    async with running(quart):  # type: ignore[arg-type]  # Quart types scopes more closely
        ours = await (await quart.test_client().get("/auth/me")).get_json()

    assert ours["code"] == "unauthorized"
