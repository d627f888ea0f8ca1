"""Challenges: for one purpose and one holder, for five minutes, and used once (WebAuthn Level 3, 13.5.3)."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from asgi_auth import MemoryCounters, RedisCounters
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.limits.counters import Counters
from tests.passkeys.world import a_world, code_of
from tests.redis_server import RedisServer
from tests.support import CountingStorage


async def test_a_challenge_serves_its_purpose_and_its_holder_alone() -> None:
    async with a_world() as world:
        pair = (await world.add()).tokens
        identity, pending, another = await world.identity(pair), await world.pending(), await world.pending()
        other = await world.identity(await world.log_in())
        create = (await world.passkeys.passkey_options(identity=identity)).options
        renew = (await world.passkeys.reauthenticate_passkey_options(identity=identity)).options
        alone, second = await world.options(), await world.options(pending)
        use = {"rpId": create["rp"]["id"], "allowCredentials": []}
        shown = {
            name: world.device.get({**use, "challenge": options["challenge"]})
            for name, options in (("create", create), ("renew", renew), ("alone", alone), ("second", second))
        }

        async def outcomes(name: str) -> list[str]:
            sent, app = shown[name], world.passkeys
            return [
                await code_of(app.reauthenticate_by_passkey(credential=sent, identity=other)),
                await code_of(app.passkey_login(credential=sent, pending=another)),
                await code_of(app.reauthenticate_by_passkey(credential=sent, identity=identity)),
                await code_of(app.passkey_login(credential=sent)),
                await code_of(app.passkey_login(credential=sent, pending=pending)),
            ]

        no, yes = "invalid_passkey", "in"
        assert await outcomes("create") == [no, no, no, no, no]
        assert await outcomes("renew") == [no, no, yes, no, no]
        # A plain one logs in beside a pending login, which its user has left.
        assert await outcomes("alone") == [no, yes, no, no, no]
        assert await outcomes("second") == [no, no, no, no, yes]


async def test_a_challenge_is_used_once_whatever_becomes_of_the_counters() -> None:
    counters = MemoryCounters()
    await _use_twice(counters, counters._counters.clear)


async def test_a_challenge_is_used_once_though_redis_was_emptied(tmp_path: Path) -> None:
    with closing(RedisServer(tmp_path)) as server:
        await _use_twice(RedisCounters(server.url), lambda: server.cli("flushall"))


async def _use_twice(counters: Counters, empty: Callable[[], object]) -> None:
    async with a_world(counters=counters) as world:
        # The counter of a passkey that stays in its device would refuse the second use as well.
        world.device.synced = True
        await world.add()
        sent = world.device.get(await world.options())
        assert await code_of(world.passkeys.passkey_login(credential=sent)) == "in"

        empty()

        assert await code_of(world.passkeys.passkey_login(credential=sent)) == "invalid_passkey"
        for moved in (-100, 60, 200):
            world.clock.move(moved)
            assert await code_of(world.passkeys.passkey_login(credential=sent)) == "invalid_passkey"


async def test_a_challenge_lasts_five_minutes() -> None:
    async with a_world() as world:
        await world.add()
        sent = world.device.get(await world.options())

        for moved, outcome in ((300, "invalid_passkey"), (-400, "invalid_passkey"), (399, "in")):
            world.clock.move(moved)
            assert await code_of(world.passkeys.passkey_login(credential=sent)) == outcome


async def test_a_mark_that_cannot_be_written_lets_no_one_in() -> None:
    storage = CountingStorage()
    async with a_world(storage) as world:  # type: ignore[arg-type]  # a storage, as `Auth` takes it
        await world.add()
        sent = world.device.get(await world.options())

        async def away(statement: str) -> None:
            if "INSERT INTO {counters}" in statement:
                raise StorageUnavailableError

        storage.before = away
        assert await code_of(world.passkeys.passkey_login(credential=sent)) == "storage_unavailable"
