"""A removed second factor leaves `mfa` in no session, no access token and no websocket, whatever runs meanwhile."""

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import Auth, AuthMiddleware, RecoveryCodes
from asgi_auth.errors import AuthError, SecondFactorNeededError, StorageUnavailableError
from asgi_auth.model.answers import TokenPair
from tests.features.factors import World, a_world
from tests.lines import Line, echo
from tests.sessions.test_revocation import eventually
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import Clock, bearer, login, make_auth, register


@pytest.fixture(params=FILES_AND_SERVERS)
def url(request: pytest.FixtureRequest, fresh: Callable[[str], str]) -> str:
    return fresh(request.param)


async def remove(world: World) -> None:
    """Remove the factors as an administrator does."""
    async with world.auth.storage.transaction() as storage:
        user = await storage.update_user(world.user_id, {}, int(world.clock()))
        assert user is not None
        await world.auth.factors.remove(storage, user, ["totp"])


async def passes(auth: Auth, pair: TokenPair) -> bool:
    """Ask a guard of a host with the access token."""
    identity = await auth.authenticate(pair.access_token)
    try:
        identity.require(second_factor=True)
    except SecondFactorNeededError:
        return False
    return "mfa" in identity.claims["amr"]


async def test_access_tokens_lose_mfa_in_every_process(url: str) -> None:
    # PostgreSQL has a clock, which must agree with that of the tests.
    clock = Clock(time.time() - 15)
    async with a_world(url, clock) as world, make_auth(url, clock=clock) as other:
        pair, untouched = await world.turn_on(), await login_of_another(world)
        for auth in (world.auth, other):
            assert await passes(auth, pair)
            assert auth.verifier.cached(pair.access_token, "bearer")

        await remove(world)

        assert world.auth.verifier.cached(pair.access_token, "bearer") is None
        assert not await passes(world.auth, pair)

        async def refused() -> bool:
            return not await passes(other, pair)

        assert await eventually(refused)
        for auth in (world.auth, other):
            assert auth.verifier.cached(pair.access_token, "bearer") is None
            identity = await auth.authenticate(pair.access_token)
            assert (identity.amr, identity.claims["amr"]) == (("pwd", "otp"), ("pwd", "otp"))
            await auth.authenticate(untouched.access_token)
            assert auth.verifier.cached(untouched.access_token, "bearer")


async def login_of_another(world: World) -> TokenPair:
    await register(world.auth, "other@example.com")
    return await login(world.auth, "other@example.com")


async def test_a_factor_that_is_set_up_again_counts_at_once(url: str) -> None:
    async with a_world(url) as world, make_auth(url, clock=world.clock) as other:
        old = await world.turn_on()
        await world.totp.totp_turn_off(identity=await world.identity(old))
        await other.revocation.sync()
        assert not await passes(other, old)

        # In the same second, so that no time tells the tokens apart.
        world.clock.move(-30)
        new = await world.turn_on(await world.identity(old))

        assert await passes(world.auth, new)
        assert await passes(other, new)


async def test_the_database_is_asked_for_the_lifetime_of_an_access_token_alone() -> None:
    async with a_world() as world:
        pair = await world.turn_on()
        await remove(world)
        settings = world.auth.settings
        world.clock.move(settings.access_ttl + 2 * settings.leeway + 1)
        renewed = await world.auth.refresh(pair.refresh_token)
        # Twice: a change of the clock reads everything again, as it was learned a moment ago.
        for _ in range(2):
            world.clock.move(settings.access_ttl + 2 * settings.leeway + 1)
            await world.auth.revocation.sync()
        assert world.auth.revocation.lowered == {}
        renewed = await world.auth.refresh(renewed.refresh_token)

        await world.auth.authenticate(renewed.access_token)

        assert world.auth.verifier.cached(renewed.access_token, "bearer")


@pytest.mark.parametrize("kind", ["login", "recovery code", "step-up", "setup"])
async def test_a_removal_after_the_code_and_before_the_session_leaves_no_mfa(
    kind: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_world(url) as world:
        pair = await world.turn_on()
        identity = await world.identity(pair)
        (code, *_) = (await world.auth[RecoveryCodes].recovery_codes(identity=identity)).codes
        pending = await world.pending()
        if kind == "setup":
            await remove(world)
            setup = await world.totp.totp_setup(identity=identity)
            world.key = base64.b32decode(setup.secret)
        name = "renew_session" if kind in {"step-up", "setup"} else "add_session"
        write = getattr(world.auth.storage, name)

        async def late(*args: Any, **values: Any) -> Any:
            await remove(world)
            return await write(*args, **values)

        monkeypatch.setattr(world.auth.storage, name, late)
        calls = {
            "login": lambda: world.totp.totp_login(pending=pending, code=world.code()),
            "recovery code": lambda: world.auth[RecoveryCodes].recovery_code_login(pending=pending, code=code),
            "step-up": lambda: world.totp.reauthenticate_by_totp(code=world.code(), identity=identity),
            "setup": lambda: world.totp.totp_turn_on(request=setup.request, code=world.code(), identity=identity),
        }

        with pytest.raises(AuthError) as refused:
            await calls[kind]()

        assert refused.value.code == ("token_revoked" if name == "renew_session" else "pending_login_expired")
        live = await world.auth.storage.sessions(world.user_id, int(world.clock()), 0)
        assert {method for session in live for method in session.amr} <= {"pwd", "otp"}


async def test_while_the_database_is_away_a_lowered_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with a_world() as world:
        pair = await world.turn_on()
        await remove(world)

        async def away(*_: object) -> None:
            raise StorageUnavailableError

        monkeypatch.setattr(world.auth.storage, "access", away)
        with pytest.raises(StorageUnavailableError):
            await world.auth.authenticate(pair.access_token)


async def test_a_websocket_whose_session_is_lowered_during_the_handshake_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_world() as world:
        refreshed = await world.auth.refresh((await world.turn_on()).refresh_token)

        async def meanwhile(*_: object) -> None:
            await remove(world)

        async def nothing() -> None:
            """Another notification, which would close it as well, comes later."""

        monkeypatch.setattr(world.auth.revocation, "sync", nothing)
        monkeypatch.setattr(world.auth.storage, "use_generation", meanwhile)
        late = Line(AuthMiddleware(echo, world.auth), bearer(refreshed))

        sent = [await late.next()]
        while sent[-1]["type"] != "websocket.close":
            sent.append(await late.next())
        assert sent[-1]["code"] == 4401
        with pytest.raises(OSError, match="has ended"):
            await late.rest()


async def test_a_websocket_that_is_opened_after_the_removal_stays() -> None:
    async with a_world() as world:
        pair = await world.turn_on()
        await remove(world)

        line = Line(AuthMiddleware(echo, world.auth), bearer(pair))

        assert [(await line.next())["type"] for _ in range(2)] == ["websocket.accept", "websocket.send"]
        line.incoming.put_nowait({"type": "websocket.receive", "text": "still here"})
        assert (await line.next())["text"] == "still here"
        line.incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await line.rest()


async def test_websockets_of_a_lowered_session_are_closed() -> None:
    async with a_world() as world:
        pair = await world.turn_on()
        identity, closed = await world.identity(pair), asyncio.Event()
        world.auth.revocation.watch(identity.session_id, identity.id, identity.roles, closed.set)

        await remove(world)

        assert closed.is_set()
