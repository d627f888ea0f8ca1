"""Header lines that the middleware remembers: they stand for the same user as before, and for no other."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.model.answers import TokenPair
from tests.support import Client, bearer, http_scope, login, register, who

ACCESS = "__Host-auth"


@pytest.fixture
async def pair(auth: Auth) -> TokenPair:
    await register(auth)
    return await login(auth)


async def again(client: Client, method: str = "GET", **options: Any) -> list[int | str]:
    """Send a request three times: the second and the third find it remembered, by token and by line."""
    answers = [await client.request(method, "/", **options) for _ in range(3)]
    return [answer.json["id"] if answer.status == 200 else answer.status for answer in answers]


async def test_a_line_seen_before_speaks_for_the_same_user(auth: Auth, client: Client, pair: TokenPair) -> None:
    await register(auth, "eve@example.com")
    other = await login(auth, "eve@example.com")
    ada, eve = [(await auth.authenticate(str(each.access_token))).id for each in (pair, other)]

    for _ in range(2):
        for each, user_id in ((pair, ada), (other, eve)):
            assert await again(client, headers=bearer(each)) == [user_id] * 3
            assert await again(client, headers={"cookie": f"a=b; {ACCESS}={each.access_token}"}) == [user_id] * 3
    assert await again(client, headers={"cookie": "a=b"}) == [""] * 3
    assert await again(client) == [""] * 3


async def test_a_cookie_line_seen_before_is_no_good_for_another_sites_form(client: Client, pair: TokenPair) -> None:
    cookie = {"cookie": f"{ACCESS}={pair.access_token}"}
    assert 403 not in await again(client, headers=cookie)

    assert await again(client, "POST", headers=cookie | {"origin": "https://evil.example.net"}) == [403] * 3
    assert await again(client, "POST", headers=cookie) == [403] * 3


async def test_a_line_seen_before_beside_another_is_looked_at_again(
    auth: Auth, client: Client, pair: TokenPair
) -> None:
    await register(auth, "eve@example.com")
    other = await login(auth, "eve@example.com")
    line, cookie = bearer(pair), {"cookie": f"{ACCESS}={other.access_token}"}
    assert 400 not in await again(client, headers=line) + await again(client, headers=cookie)

    assert await again(client, headers=line | cookie) == [400] * 3
    twice = [("authorization", line["authorization"]), ("authorization", line["authorization"])]
    assert await again(client, headers=twice) == [400] * 3


async def test_a_token_that_a_websocket_shows_elsewhere_belongs_to_none_of_its_lines(
    auth: Auth, pair: TokenPair
) -> None:
    app, messages = AuthMiddleware(who, auth), [{"type": "websocket.connect"}]
    scope = http_scope("GET", "/", [("cookie", "a=b")])
    socket = {**scope, "type": "websocket", "subprotocols": [f"bearer.{pair.access_token}"]}

    async def receive() -> Any:
        return messages.pop()

    async def send(_message: Any) -> None:
        """Ignore all messages."""

    with suppress(Exception):
        await app(socket, receive, send)

    assert await again(Client(app), headers={"cookie": "a=b"}) == [""] * 3


async def test_the_number_of_remembered_lines_is_bounded(auth: Auth) -> None:
    auth.settings = replace(auth.settings, token_cache=10)
    await register(auth)
    token = (await login(auth)).access_token
    app = AuthMiddleware(who, auth)
    for number in range(25):
        await Client(app).get("/", headers={"cookie": f"a={number}; {ACCESS}={token}"})
    await Client(app).get("/", headers={"cookie": f"a={'x' * 5000}; {ACCESS}={token}"})

    lines = app._authenticator._cookies
    assert 0 < len(lines) <= 10
    assert max(map(len, lines)) < 5000


async def test_a_line_of_one_header_is_none_of_the_other(client: Client, pair: TokenPair) -> None:
    line, cookie = f"Bearer {pair.access_token}", f"{ACCESS}={pair.access_token}"
    assert "" not in await again(client, headers={"authorization": line})
    assert "" not in await again(client, headers={"cookie": cookie})

    assert await again(client, headers={"cookie": line}) == [""] * 3
    assert await again(client, "POST", headers={"cookie": line, "origin": "https://evil.example.net"}) == [""] * 3
    assert await again(client, headers={"authorization": cookie}) == [""] * 3
