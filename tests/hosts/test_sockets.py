"""Websockets of hosts: rejected before they are accepted, with an HTTP response where the server supports it."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from litestar import Litestar
from litestar import WebSocket as LitestarSocket
from litestar import websocket as litestar_websocket
from quart import Quart, websocket
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket as StarletteSocket

from asgi_auth import AuthMiddleware, require
from asgi_auth.hosts import fastapi, quart, starlette
from asgi_auth.hosts.litestar import AuthPlugin, login_required
from tests.hosts.forms import build, load
from tests.hosts.inprocess import LocalConnect, Messages, running, websocket_scope
from tests.hosts.script import RefusedError
from tests.support import bearer, login, make_auth, register

DENIAL: dict[str, dict[str, Any]] = {"websocket.http.response": {}}
CLOSE = {"type": "websocket.close", "code": 4401, "reason": "unauthorized"}


async def unseen(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("a refused websocket reached the host")


async def guarded(scope: Scope, receive: Receive, _send: Send) -> None:
    await receive()
    require(scope)


async def first(app: Any, extensions: dict[str, dict[str, Any]]) -> list[Message]:
    """The messages of an app to an anonymous websocket."""
    to_app, sent = Messages(), list[Message]()
    to_app.put_nowait({"type": "websocket.connect"})

    async def send(message: Message) -> None:
        sent.append(message)
        whole = message["type"] == "websocket.http.response.body" and not message.get("more_body")
        if whole or message["type"] == "websocket.close":
            to_app.put_nowait({"type": "websocket.disconnect", "code": 1006})

    await app(websocket_scope("/socket", [], extensions=extensions), to_app.get, send)
    return sent


def hosts() -> dict[str, Any]:
    """Hosts with a websocket that requires a login, each guarded by its host module."""
    auth = make_auth()

    @starlette.login_required
    async def starlette_socket(socket: StarletteSocket) -> None:
        await socket.accept()
        await socket.send_text(socket.user.id)

    starlette_app = Starlette(routes=[WebSocketRoute("/socket", starlette_socket)])
    starlette.install(starlette_app)
    fastapi_app, quart_app = FastAPI(), Quart("quart")
    fastapi.install(fastapi_app)
    quart.install(quart_app)

    @fastapi_app.websocket("/socket")
    async def fastapi_socket(socket: WebSocket, user: fastapi.CurrentUser) -> None:
        await socket.accept()
        await socket.send_text(user.id)

    @quart_app.websocket("/socket")
    @quart.login_required
    async def quart_socket() -> None:
        await websocket.send(quart.current_user().id)

    @litestar_websocket("/socket", guards=[login_required])
    async def litestar_socket(socket: LitestarSocket[Any, Any, Any]) -> None:
        await socket.accept()
        await socket.send_text(socket.user.id)

    return {
        "middleware": AuthMiddleware(unseen, auth, required=True),
        "bare": AuthMiddleware(guarded, auth),
        "starlette": AuthMiddleware(starlette_app, auth),
        "fastapi": AuthMiddleware(fastapi_app, auth),
        "quart": AuthMiddleware(quart_app, auth),
        "litestar": Litestar([litestar_socket], plugins=[AuthPlugin(auth)]),
    }


@pytest.mark.parametrize("host", sorted(hosts()))
async def test_no_one_is_refused_by_an_answer_where_the_server_can_send_one(host: str) -> None:
    app = hosts()[host]

    async with running(app):
        messages = await first(app, DENIAL)

    assert (messages[0]["type"], messages[0]["status"]) == ("websocket.http.response.start", 401)
    assert b'"code":"unauthorized"' in b"".join(message.get("body", b"") for message in messages)
    assert (b"www-authenticate", b"Bearer") in [(name.lower(), value) for name, value in messages[0]["headers"]]


@pytest.mark.parametrize("host", sorted(hosts().keys() - {"quart"}))
async def test_no_one_is_refused_by_close_4401_elsewhere(host: str) -> None:
    app = hosts()[host]

    async with running(app):
        messages = await first(app, {})

    assert messages == [CLOSE]


async def test_quart_closes_with_a_code_of_its_own_elsewhere() -> None:
    app = hosts()["quart"]

    async with running(app):
        messages = await first(app, {})

    assert [message["type"] for message in messages] == ["websocket.close"]


@pytest.mark.parametrize("host", ["starlette", "fastapi", "quart", "litestar"])
async def test_a_user_is_let_in(host: str) -> None:
    app = hosts()[host]
    auth = app.auth if isinstance(app, AuthMiddleware) else app.plugins.get(AuthPlugin)._auth_app.auth
    async with running(app):
        user_id = await register(auth)
        headers = list(bearer(await login(auth)).items())

        async with LocalConnect(app)("/socket", headers) as socket:
            seen = await socket.recv()

    assert seen == user_id


async def test_django_never_sees_a_refused_websocket() -> None:
    app, auth = build("django", "wrapped"), load("django", "wrapped").auth
    async with auth:
        user_id = await register(auth, "django-socket@example.com")
        tokens = await login(auth, "django-socket@example.com")
        headers = [("cookie", f"__Host-auth={tokens.access_token}"), ("origin", "https://evil.example")]

        refusals = []
        for more in ([], [("authorization", "Basic x"), ("authorization", "Basic y")]):
            with pytest.raises(RefusedError) as refused:
                await LocalConnect(app)("/socket", [*headers, *more]).__aenter__()
            refusals.append(refused.value.status)
        with pytest.raises(ValueError, match="Django can only handle ASGI/HTTP connections"):
            await first(app, {})

    assert (refusals, bool(user_id)) == ([403, 403], True)


async def test_a_receive_that_is_cancelled_loses_no_message() -> None:
    """Quart receives in a separate task, and cancels the task."""

    async def host(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                await receive()
        await send({"type": "websocket.send", "text": "ready"})
        await send({"type": "websocket.send", "text": (await receive())["text"]})

    async with make_auth() as auth:
        await register(auth)
        headers = list(bearer(await login(auth)).items())

        async with LocalConnect(AuthMiddleware(host, auth))("/", headers) as socket:
            ready = await socket.recv()
            await socket.send("not lost")
            echo = await socket.recv()

    assert (ready, echo) == ("ready", "not lost")


async def test_a_session_that_ends_stops_the_receive_before_the_close() -> None:
    """Granian does not send a close while a receive is pending."""
    order: list[str] = []

    async def host(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        assert (await receive())["type"] == "websocket.disconnect"

    async def receive() -> Message:
        if not order:
            order.append("connect")
            return {"type": "websocket.connect"}
        try:
            return await asyncio.Future[Message]()
        finally:
            order.append("receive stopped")

    async def send(message: Message) -> None:
        order.append(message["type"])
        if message["type"] == "websocket.accept":
            await auth.end_sessions(user_id)

    async with make_auth() as auth:
        user_id = await register(auth)
        headers = list(bearer(await login(auth)).items())

        await AuthMiddleware(host, auth)(websocket_scope("/", headers), receive, send)

    assert order[:2] == ["connect", "websocket.accept"]
    assert order[-1] == "websocket.close"
