"""Sessions: refreshing, reuse of what was used, and limits of time and number."""

import asyncio
from typing import Any

import pytest

from asgi_auth import Auth, Passwords, Sessions
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.errors import AuthError, InvalidTokenError, TokenExpiredError, TokenReuseError, TokenRevokedError
from asgi_auth.feature import Feature
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Event
from tests.support import Answer, Client, Clock, login, make_auth, register

DAY = 86400


class Listener(Feature):
    """Keeps every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def observe(self, event: Event) -> None:
        self.events.append(event)

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]


@pytest.fixture
async def pair(auth: Auth) -> TokenPair:
    await register(auth)
    return await login(auth)


async def refused(auth: Auth, pair: TokenPair) -> type[AuthError]:
    with pytest.raises(InvalidTokenError) as caught:
        await auth.refresh(str(pair.refresh_token))
    return type(caught.value)


async def refresh(client: Client, token: object) -> Answer:
    return await client.post("/auth/refresh", {"refresh_token": token})


async def test_a_refresh_gives_a_new_pair_for_the_same_session(auth: Auth, client: Client, pair: TokenPair) -> None:
    answer = await refresh(client, pair.refresh_token)

    assert answer.status == 200
    assert answer.json.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "refresh_expires_in"}
    assert answer.json["refresh_token"] != pair.refresh_token
    before, after = (
        await auth.authenticate(str(pair.access_token)),
        await auth.authenticate(answer.json["access_token"]),
    )
    assert (before.session_id, before.auth_time) == (after.session_id, after.auth_time)


@pytest.mark.parametrize("token", ["x", "é", "x" * 8000])
async def test_what_is_no_refresh_token_is_refused(client: Client, token: str) -> None:
    answer = await refresh(client, token)

    assert (answer.status, answer.json["code"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in str(answer.header("www-authenticate"))


@pytest.mark.parametrize("token", ["", 1, None, "x" * 8193])
async def test_a_refresh_token_of_another_shape_is_refused(client: Client, token: object) -> None:
    assert (await refresh(client, token)).status == 422
    assert (await client.post("/auth/refresh", {})).status == 422


async def test_within_the_grace_the_used_token_gives_the_same_successor(
    auth: Auth, clock: Clock, pair: TokenPair
) -> None:
    pairs = await asyncio.gather(*(auth.refresh(str(pair.refresh_token)) for _ in range(32)))
    clock.move(10)

    late = await auth.refresh(str(pair.refresh_token))

    assert {item.refresh_token for item in pairs} == {late.refresh_token}
    assert late.refresh_token != pair.refresh_token


@pytest.mark.parametrize("on_reuse", ["session", "user"])
async def test_after_the_grace_reuse_ends_the_session_or_all_of_them(clock: Clock, on_reuse: str) -> None:
    listener = Listener()
    features = [listener, Passwords(argon2=Argon2.cheap()), Sessions()]
    async with make_auth(clock=clock, features=features, on_reuse=on_reuse) as auth:
        await register(auth)
        stolen, other = await login(auth), await login(auth)
        successor = await auth.refresh(str(stolen.refresh_token))
        await auth.authenticate(successor.access_token)
        clock.move(11)

        assert await refused(auth, stolen) is TokenReuseError

        assert await refused(auth, successor) is TokenRevokedError
        with pytest.raises(TokenRevokedError):
            await auth.authenticate(str(successor.access_token))
        assert listener.names[-1] == "token_reuse"
        assert listener.names.count("session_end") == (1 if on_reuse == "session" else 2)
        if on_reuse == "session":
            assert await auth.refresh(str(other.refresh_token))
        else:
            assert await refused(auth, other) is TokenRevokedError


async def test_a_token_two_generations_old_is_reuse_even_within_the_grace(auth: Auth, pair: TokenPair) -> None:
    second = await auth.refresh(str(pair.refresh_token))
    await auth.refresh(str(second.refresh_token))

    assert await refused(auth, pair) is TokenReuseError


async def test_a_genuine_token_of_an_unknown_session_is_refused(auth: Auth) -> None:
    unknown = auth.refresh_tokens.make("0" * 8 + "-0000-0000-0000-" + "0" * 12, 0)

    with pytest.raises(TokenRevokedError):
        await auth.refresh(unknown)


async def test_a_session_ends_when_it_is_idle_and_refreshing_keeps_it(
    auth: Auth, clock: Clock, pair: TokenPair
) -> None:
    other = await login(auth)
    clock.move(13 * DAY)
    second = await auth.refresh(str(pair.refresh_token))
    clock.move(2 * DAY)

    assert await refused(auth, other) is TokenExpiredError
    assert (await auth.refresh(str(second.refresh_token))).refresh_expires_in == 14 * DAY


async def test_refreshing_extends_no_session_beyond_its_life(auth: Auth, clock: Clock, pair: TokenPair) -> None:
    for _ in range(3):
        clock.move(9 * DAY)
        pair = await auth.refresh(str(pair.refresh_token))

    assert pair.refresh_expires_in == 3 * DAY
    clock.move(3 * DAY)
    assert await refused(auth, pair) is TokenExpiredError


@pytest.mark.parametrize("status", ["disabled", "closed"])
async def test_refreshing_checks_the_user_again(auth: Auth, pair: TokenPair, status: Any) -> None:
    identity = await auth.authenticate(str(pair.access_token))
    await auth.storage.update_user(identity.id, {"status": status}, 0)

    assert await refused(auth, pair) is TokenRevokedError
    await auth.users.set_status(identity.id, status)
    await auth.users.set_status(identity.id, "active")
    assert await refused(auth, pair) is TokenRevokedError


async def test_disabling_a_user_tells_of_each_session_that_ended() -> None:
    listener = Listener()
    async with make_auth(features=[listener, Passwords(argon2=Argon2.cheap())]) as auth:
        user_id = await register(auth)
        await login(auth)
        listener.events.clear()

        await auth.users.set_status(user_id, "disabled")

    assert listener.names == ["session_end", "user_change"]


async def test_changed_roles_are_in_the_next_token(auth: Auth, pair: TokenPair) -> None:
    identity = await auth.authenticate(str(pair.access_token))
    await auth.users.set_roles(identity.id, ["admin"])

    second = await auth.refresh(str(pair.refresh_token))

    assert (await auth.authenticate(str(second.access_token))).claims["roles"] == ["admin"]


async def test_one_session_too_many_ends_the_oldest(clock: Clock) -> None:
    async with make_auth(clock=clock, max_sessions=2) as auth:
        await register(auth)
        pairs = []
        for _ in range(3):
            pairs.append(await login(auth))
            clock.move(1)

        assert await refused(auth, pairs[0]) is TokenRevokedError
        with pytest.raises(TokenRevokedError):
            await auth.authenticate(str(pairs[0].access_token))
        for pair in pairs[1:]:
            assert await auth.refresh(str(pair.refresh_token))
