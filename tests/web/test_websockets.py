"""Websockets: recognised like requests, and closed when the session ends."""

import pytest
from starlette.types import Receive, Scope, Send

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.model.answers import TokenPair
from tests.lines import CLOSE, DENIAL, Line, echo, user_of
from tests.support import ORIGIN, Clock, bearer


async def test_a_socket_is_recognised_by_its_header_and_passes_everything_on(line: Line) -> None:
    line.incoming.put_nowait({"type": "websocket.receive", "text": "hello"})
    answer = await line.next()
    line.incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
    rest = await line.rest()

    assert answer == {"type": "websocket.send", "text": "hello"}
    assert rest == [{"type": "websocket.send", "text": "left 1000"}]


async def test_a_socket_of_no_one_reaches_the_app_too(auth: Auth) -> None:
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
