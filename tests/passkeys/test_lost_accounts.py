"""Passkeys of users who lose their account, or their passkey, while they log in."""

from collections.abc import Awaitable, Callable

import pytest

from asgi_auth.features.passkeys.credentials import KIND
from tests.passkeys.world import World, a_world, code_of
from tests.support import CountingStorage

BAN = 250


async def disable(world: World) -> None:
    await world.auth.users.set_status(world.user_id, "disabled")


async def close(world: World) -> None:
    await world.auth.users.set_status(world.user_id, "closed")


async def ban(world: World) -> None:
    await world.auth.users.ban(world.user_id, until=int(world.clock()) + BAN)


@pytest.mark.parametrize("lose", [disable, close, ban])
async def test_no_passkey_opens_an_account_that_was_lost_meanwhile(lose: Callable[[World], Awaitable[None]]) -> None:
    async with a_world() as world:
        identity = await world.identity((await world.add()).tokens)
        alone, pending = world.device.get(await world.options()), await world.pending()
        second = world.device.get(await world.options(pending))
        again = world.device.get((await world.passkeys.reauthenticate_passkey_options(identity=identity)).options)
        await lose(world)

        assert await code_of(world.passkeys.passkey_login(credential=alone)) == "account_disabled"
        finishing = world.passkeys.passkey_login(credential=second, pending=pending)
        assert await code_of(finishing) == "pending_login_expired"
        proving = world.passkeys.reauthenticate_by_passkey(credential=again, identity=identity)
        assert await code_of(proving) == "token_revoked"
        assert await world.auth.storage.sessions(world.user_id, int(world.clock()), 0) == []


async def test_a_ban_that_is_over_lets_the_passkey_in() -> None:
    async with a_world() as world:
        await world.add()
        await ban(world)
        assert await code_of(world.log_in()) == "account_disabled"
        world.clock.move(BAN + 1)

        assert await code_of(world.log_in()) == "in"


async def test_a_passkey_that_is_deleted_before_the_session_finishes_no_login() -> None:
    storage = CountingStorage()
    async with a_world(storage) as world:  # type: ignore[arg-type]  # a storage, as `Auth` takes it
        await world.add()
        pending = await world.pending()
        second = world.device.get(await world.options(pending))
        before = len(await world.auth.storage.sessions(world.user_id, int(world.clock()), 0))

        async def delete(statement: str) -> None:
            if "INSERT INTO {sessions}" in statement:
                storage.before = None
                await storage.delete_credentials(world.user_id, (KIND,))

        storage.before = delete
        finishing = world.passkeys.passkey_login(credential=second, pending=pending)

        assert await code_of(finishing) == "pending_login_expired"
        assert len(await world.auth.storage.sessions(world.user_id, int(world.clock()), 0)) == before
