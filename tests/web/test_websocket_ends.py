"""Live websockets: closed when their session ends or the user's roles change, and not before."""

import asyncio
from functools import partial
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.answers import TokenPair
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.web.websockets import _set_threadsafe
from tests.lines import CLOSE, Line, echo, user_of
from tests.support import Clock, bearer, login, make_auth, register


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


async def test_an_app_that_closes_after_the_end_is_no_error(auth: Auth, pair: TokenPair) -> None:
    async def host(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        await send({"type": "websocket.close"})

    live = Line(AuthMiddleware(host, auth), bearer(pair))
    await live.next()

    await auth.end_sessions(await user_of(auth, pair))

    assert await live.next() == CLOSE
    await live.rest()
    assert live.sent.empty()


async def test_a_live_socket_is_closed_when_the_roles_change(auth: Auth, pair: TokenPair, line: Line) -> None:
    await auth.users.set_roles(await user_of(auth, pair), ["admin"])

    assert (await line.next())["code"] == 4401
    again = Line(AuthMiddleware(echo, auth), bearer(pair))
    assert (await again.next())["type"] == "websocket.accept"
    await auth.revocation.sync()
    await again.next()
    again.incoming.put_nowait({"type": "websocket.receive", "text": "still here"})
    assert (await again.next())["text"] == "still here"
    again.task.cancel()


async def test_roles_that_change_during_the_handshake_close_the_socket(
    auth: Auth, pair: TokenPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = await user_of(auth, pair)
    refreshed = await auth.refresh(pair.refresh_token)

    async def change_roles(*_: object) -> None:
        await auth.users.set_roles(user_id, ["other"])

    monkeypatch.setattr(auth.storage, "use_generation", change_roles)
    late = Line(AuthMiddleware(echo, auth), bearer(refreshed))

    await asyncio.wait([late.task], timeout=10)
    assert late.task.done()
    assert (await late.next())["code"] == 4401


async def test_a_socket_of_a_closed_event_loop_does_not_keep_other_sessions_alive(auth: Auth, pair: TokenPair) -> None:
    identity = await auth.authenticate(str(pair.access_token))
    others = [await auth.authenticate(str((await login(auth)).access_token)) for _ in range(2)]
    loop = asyncio.new_event_loop()
    loop.close()
    for each in (identity, *others):
        auth.revocation.watch(each.session_id, each.id, (), partial(_set_threadsafe, loop, asyncio.Event()))

    await auth.end_sessions(identity.id)

    assert {each.session_id for each in (identity, *others)} <= set(auth.revocation.dead)


async def test_sockets_of_other_sessions_stay(auth: Auth, pair: TokenPair, line: Line) -> None:
    other = await login(auth)
    identity = await auth.authenticate(str(other.access_token))

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
