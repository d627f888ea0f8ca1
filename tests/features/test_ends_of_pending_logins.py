"""The end of all sessions ends logins that wait for their second factor: their password may be stolen."""

from collections.abc import Awaitable, Callable

import pytest

from asgi_auth import Sessions
from asgi_auth.errors import TokenReuseError
from asgi_auth.feature import TokenPair
from tests.features.factors import World, a_world

DRIVERS = ("sqlite", "postgres18")


async def log_out_everywhere(world: World, pair: TokenPair) -> None:
    assert await world.auth[Sessions].logout_all(identity=await world.identity(pair))


async def by_the_host(world: World, _: TokenPair) -> None:
    await world.auth.end_sessions(world.user_id)


async def all_others(world: World, pair: TokenPair) -> None:
    identity = await world.identity(pair)
    await world.auth.end_sessions(world.user_id, keep=identity.session_id)


async def one(world: World, pair: TokenPair) -> None:
    identity = await world.identity(pair)
    await world.auth.end_sessions(world.user_id, only=identity.session_id)


async def log_out(world: World, pair: TokenPair) -> None:
    await world.auth[Sessions].logout(identity=await world.identity(pair))


ENDS: dict[str, tuple[Callable[[World, TokenPair], Awaitable[None]], str]] = {
    "logout-all": (log_out_everywhere, "pending_login_expired"),
    "end_sessions": (by_the_host, "pending_login_expired"),
    "end_sessions(keep)": (all_others, "pending_login_expired"),
    "end_sessions(only)": (one, "in"),
    "logout": (log_out, "in"),
}


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("end", ENDS)
async def test_a_pending_login_ends_with_all_sessions_and_not_with_one(
    driver: str, end: str, fresh: Callable[[str], str]
) -> None:
    async with a_world(fresh(driver)) as world:
        pair, (happens, outcome) = await world.turn_on(), ENDS[end]
        pending = await world.pending()

        await happens(world, pair)

        assert await world.outcome(pending=pending) == outcome
        # A new login is an honest one.
        world.clock.move(30)
        assert await world.outcome() == "in"


async def test_a_stolen_refresh_token_that_ends_all_sessions_ends_pending_logins() -> None:
    async with a_world(settings={"on_reuse": "user"}) as world:
        tokens = [(await world.turn_on()).refresh_token]
        pending = await world.pending()
        for _ in range(2):
            tokens.append((await world.auth.refresh(tokens[-1])).refresh_token)
            world.clock.move(60)

        with pytest.raises(TokenReuseError):
            await world.auth.refresh(tokens[0])

        assert await world.outcome(pending=pending) == "pending_login_expired"
