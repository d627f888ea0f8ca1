"""Tokens of impersonated users: read from the database each time, also by an open websocket."""

import pytest

from asgi_auth.errors import TokenRevokedError
from asgi_auth.sessions.tokens import ACT
from tests.features.administration import World, administered


async def token_of(world: World) -> str:
    answer = await world.call("owner", "POST", "/users/{user}/impersonate")
    return str(answer.json["access_token"])


async def test_the_fast_path_knows_no_token_with_an_actor() -> None:
    async with administered() as world:
        token = await token_of(world)
        identity = await world.auth.authenticate(token)

        assert world.auth.verifier.cached(token, "bearer") is None
        assert identity.claims[ACT]["sub"] == identity.actor == world.users["owner"].id


async def test_another_process_learns_of_the_end_at_the_next_request() -> None:
    """The end of the administrator's session is written elsewhere: nothing is known of it in memory."""
    async with administered() as world:
        token = await token_of(world)
        await world.auth.authenticate(token)

        await world.auth.storage.end_sessions(world.users["owner"].id, int(world.clock()))

        with pytest.raises(TokenRevokedError):
            await world.auth.authenticate(token)


@pytest.mark.parametrize("change", ["the user's end", "the actor's end", "the actor's roles"])
async def test_a_websocket_closes_with_the_session_of_the_actor(change: str) -> None:
    async with administered() as world:
        token, closed = await token_of(world), list[str]()
        identity = await world.auth.authenticate(token)
        act, revocation = identity.claims[ACT], world.auth.revocation
        for session_id, user_id in ((identity.session_id, identity.id), (act["sid"], act["sub"])):
            revocation.watch(session_id, user_id, revocation.roles.get(user_id, ()), lambda: closed.append("closed"))

        if change == "the actor's roles":
            await world.auth.users.set_roles(world.users["owner"].id, ["reader"])
        else:
            await world.auth.users.end_sessions(world.users["user" if change == "the user's end" else "owner"].id)

        assert closed
