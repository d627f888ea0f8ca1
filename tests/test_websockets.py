"""Websockets: recognised like requests, and closed when the session ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.records import TokenPair
from asgi_auth.storage.sqlite import SQLite
from tests.support import ORIGIN, Clock, bearer, login, make_auth, register

Host = Callable[[Scope, Receive, Send], Awaitable[None]]
CLOSE = {"type": "websocket.close", "code": 4401, "reason": "token_revoked"}
DENIAL: dict[str, Any] = {"websocket.http.response": {}}


class Line:
    """One websocket: what the server gives to the app, and what the app sends."""

    def __init__(self, app: Host, headers: dict[str, str] | None = None, **more: Any) -> None:
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})
        pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
        scope = {"type": "websocket", "path": "/socket", "root_path": "", "headers": pairs, "subprotocols": [], **more}
        self.task = asyncio.ensure_future(app(scope, self.incoming.get, self.sent.put))

    async def next(self) -> Message:
        return await asyncio.wait_for(self.sent.get(), 5)

    async def rest(self) -> list[Message]:
        """Wait for the app to end; everything else that it has sent."""
        await asyncio.wait_for(self.task, 5)
        return [self.sent.get_nowait() for _ in range(self.sent.qsize())]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept, say who it is, then echo until the end."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": scope["user"].id, "protocols": scope["subprotocols"]})
    while (message := await receive())["type"] != "websocket.disconnect":
        await send({"type": "websocket.send", "text": message["text"]})
    await send({"type": "websocket.send", "text": f"left {message['code']}"})


@pytest.fixture
async def pair(auth: Auth) -> TokenPair:
    await register(auth)
    return await login(auth)


@pytest.fixture
async def line(auth: Auth, pair: TokenPair) -> AsyncIterator[Line]:
    """A live socket of a user."""
    made = Line(AuthMiddleware(echo, auth), bearer(pair))
    assert (await made.next())["type"] == "websocket.accept"
    assert (await made.next())["text"]
    yield made
    made.task.cancel()


async def user_of(auth: Auth, pair: TokenPair) -> str:
    return (await auth.identify(str(pair.access_token))).id


async def test_a_socket_is_recognised_by_its_header_and_passes_everything_on(line: Line) -> None:
    line.incoming.put_nowait({"type": "websocket.receive", "text": "hello"})
    answer = await line.next()
    line.incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
    rest = await line.rest()

    assert answer == {"type": "websocket.send", "text": "hello"}
    assert rest == [{"type": "websocket.send", "text": "left 1000"}]


async def test_a_socket_of_nobody_reaches_the_app_too(auth: Auth) -> None:
    line = Line(AuthMiddleware(echo, auth))
    line.incoming.put_nowait({"type": "websocket.disconnect", "code": 1001})

    assert [message.get("text") for message in await line.rest()] == [None, "", "left 1001"]


async def test_a_token_may_come_as_a_subprotocol_which_the_app_never_sees(auth: Auth, pair: TokenPair) -> None:
    scopes: list[Scope] = []

    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await echo(scope, receive, send)

    offered = [f"bearer.{pair.access_token}", "chat.v2", "chat.v1"]
    line = Line(AuthMiddleware(host, auth), {"sec-websocket-protocol": ", ".join(offered)}, subprotocols=offered)

    accept, hello = await line.next(), await line.next()
    line.task.cancel()

    assert accept["subprotocol"] == "chat.v2"
    assert hello["text"] == await user_of(auth, pair)
    assert scopes[0]["subprotocols"] == ["chat.v2", "chat.v1"]
    assert str(pair.access_token) not in str(scopes[0]["headers"])


async def test_the_protocol_that_the_app_chooses_stays(auth: Auth, pair: TokenPair) -> None:
    async def host(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept", "subprotocol": "chat.v1"})

    offered = [f"bearer.{pair.access_token}", "chat.v2", "chat.v1"]
    line = Line(AuthMiddleware(host, auth), subprotocols=offered)

    assert (await line.rest())[0]["subprotocol"] == "chat.v1"


async def test_a_header_and_a_subprotocol_together_are_refused(auth: Auth, pair: TokenPair) -> None:
    line = Line(AuthMiddleware(echo, auth), bearer(pair), subprotocols=[f"bearer.{pair.access_token}"])

    assert await line.rest() == [CLOSE | {"reason": "bad_request"}]


@pytest.mark.parametrize(("headers", "good"), [
    ({"origin": ORIGIN}, True),
    ({"origin": "https://evil.example"}, False),
    ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, False),
    ({"sec-fetch-site": "same-origin"}, False),
    ({}, False),
])  # fmt: skip
async def test_a_socket_with_cookies_comes_from_our_pages_only(
    auth: Auth, pair: TokenPair, headers: dict[str, str], *, good: bool
) -> None:
    line = Line(AuthMiddleware(echo, auth), headers | {"cookie": f"__Host-auth={pair.access_token}"})

    first = await line.next()
    line.task.cancel()

    assert first["type"] == ("websocket.accept" if good else "websocket.close")
    assert good or first["reason"] == "cross_site_request"


async def test_a_socket_with_an_expired_cookie_is_renewed_when_it_is_accepted(
    auth: Auth, pair: TokenPair, clock: Clock
) -> None:
    clock.move(1000)
    cookies = f"__Host-auth={pair.access_token}; __Host-auth-refresh={pair.refresh_token}"

    line = Line(AuthMiddleware(echo, auth), {"origin": ORIGIN, "cookie": cookies})
    accept = await line.next()
    line.task.cancel()

    assert [name for name, _ in accept["headers"]] == [b"set-cookie"] * 2


async def test_a_refusal_is_an_answer_where_the_server_can_and_else_a_close(auth: Auth) -> None:
    middleware = AuthMiddleware(echo, auth, mount="/auth", required=True)

    answer = await Line(middleware, bearer("x.y.z"), extensions=DENIAL).rest()
    close = await Line(middleware).rest()
    no_route = await Line(middleware, path="/auth/login").rest()

    assert (answer[0]["type"], answer[0]["status"]) == ("websocket.http.response.start", 401)
    assert b"invalid_token" in answer[1]["body"]
    assert close == [CLOSE | {"reason": "unauthorized"}]
    assert no_route[0]["reason"] == "not_found"


@pytest.mark.parametrize("how", ["end_sessions", "disable", "close"])
async def test_a_live_socket_is_closed_when_its_session_ends(auth: Auth, pair: TokenPair, line: Line, how: str) -> None:
    user_id = await user_of(auth, pair)

    if how == "end_sessions":
        await auth.end_sessions(user_id)
    else:
        await auth.users.set_status(user_id, "disabled" if how == "disable" else "closed")

    assert await line.next() == CLOSE
    with pytest.raises(OSError, match="has ended"):
        await line.rest()


async def test_sockets_of_other_sessions_stay(auth: Auth, pair: TokenPair, line: Line) -> None:
    other = await login(auth)
    identity = await auth.identify(str(other.access_token))

    await auth.end_sessions(identity.id, only=identity.session_id)
    line.incoming.put_nowait({"type": "websocket.receive", "text": "still here"})

    assert (await line.next())["text"] == "still here"
    assert pair.access_token


async def test_an_app_that_only_sends_notices_by_an_oserror(auth: Auth, pair: TokenPair) -> None:
    async def host(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        while True:
            await send({"type": "websocket.send", "text": "tick"})
            await asyncio.sleep(0)

    line = Line(AuthMiddleware(host, auth), bearer(pair))
    await line.next()
    await auth.end_sessions(await user_of(auth, pair))

    with pytest.raises(OSError, match="has ended"):
        await line.rest()


async def test_a_session_that_ends_before_the_app_accepts_is_never_accepted(auth: Auth, pair: TokenPair) -> None:
    ended = asyncio.Event()

    async def host(_scope: Scope, _receive: Receive, send: Send) -> None:
        await ended.wait()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "secret"})

    line = Line(AuthMiddleware(host, auth), bearer(pair))
    await asyncio.sleep(0)
    await auth.end_sessions(await user_of(auth, pair))
    await asyncio.sleep(0)
    ended.set()

    with pytest.raises(OSError, match="has ended"):
        await line.rest()
    assert line.sent.get_nowait() == CLOSE
    assert line.sent.empty()


async def test_receiving_may_be_given_up_and_taken_up_again(auth: Auth, pair: TokenPair) -> None:
    async def host(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        for _ in range(3):
            waiting = asyncio.ensure_future(receive())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await send({"type": "websocket.send", "text": "ready"})
        await send({"type": "websocket.send", "text": (await receive())["text"]})

    line = Line(AuthMiddleware(host, auth), bearer(pair))
    await line.next()
    assert (await line.next())["text"] == "ready"
    line.incoming.put_nowait({"type": "websocket.receive", "text": "not lost"})

    assert (await line.rest())[0]["text"] == "not lost"


async def test_an_app_that_has_closed_is_not_closed_again(auth: Auth, pair: TokenPair) -> None:
    async def host(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        await auth.end_sessions(await user_of(auth, pair))
        await receive()
        assert (await receive())["code"] == 4401

    line = Line(AuthMiddleware(host, auth), bearer(pair))

    assert [message["type"] for message in await line.rest()] == ["websocket.accept", "websocket.close"]


class Away(SQLite):
    """A database that goes away when it is told to."""

    away = False

    async def access(self, session_id: str, now: int) -> Any:
        if self.away:
            raise StorageUnavailableError
        return await super().access(session_id, now)


async def test_a_socket_outlives_its_token_and_a_short_outage_but_not_its_session(clock: Clock) -> None:
    storage = Away()
    async with make_auth(storage, clock=clock, access_ttl=1, session_ttl=100) as auth:
        await register(auth)
        line = Line(AuthMiddleware(echo, auth), bearer(await login(auth)))
        await line.next()
        await line.next()

        clock.move(50)
        storage.away = True
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(line.task), 1.2)
        storage.away = False
        clock.move(50)

        assert await line.next() == CLOSE
        with pytest.raises(OSError, match="has ended"):
            await line.rest()
