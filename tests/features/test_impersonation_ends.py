"""The end of an impersonation: with the administrator's session, right and account, and when the user says so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from asgi_auth import Admin, Totp
from asgi_auth.errors import TokenRevokedError
from asgi_auth.feature import TokenPair
from tests.features.impersonating import PERMISSIONS, World, impersonating
from tests.support import PASSWORD, bearer, cheap, make_auth

DRIVERS = ("sqlite", "postgres18")
NEW_PASSWORD = "another battery staple"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with impersonating() as made:
        yield made


async def log_out(world: World, pair: TokenPair) -> None:
    await world.client.post("/auth/logout", headers=bearer(pair))


async def log_out_everywhere(world: World, pair: TokenPair) -> None:
    await world.client.post("/auth/logout-all", headers=bearer(pair))


async def ban(world: World, _: TokenPair) -> None:
    await world.auth.users.set_status(world.users["helper"].id, "disabled")


async def delete(world: World, _: TokenPair) -> None:
    await world.auth.users.delete(world.users["helper"].id)


async def demote(world: World, _: TokenPair) -> None:
    await world.auth.users.set_roles(world.users["helper"].id, ["editor"])


async def set_password(world: World, _: TokenPair) -> None:
    await world.auth.users.set_password(world.users["helper"].id, NEW_PASSWORD)


async def reuse_a_refresh_token(world: World, pair: TokenPair) -> None:
    tokens = [pair.refresh_token]
    for _ in range(3):
        tokens.append((await world.auth.refresh(tokens[-1])).refresh_token)
        world.clock.move(60)
    await world.client.post("/auth/refresh", {"refresh_token": tokens[0]})


ENDS = [log_out, log_out_everywhere, ban, delete, demote, set_password, reuse_a_refresh_token]


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("end", ENDS)
async def test_it_ends_with_the_administrator(
    driver: str, fresh: Callable[[str], str], end: Callable[[World, TokenPair], Awaitable[None]]
) -> None:
    async with impersonating(fresh(driver)) as world:
        pair = await world.pair("helper")
        token = await world.acting(pair)
        session_id = (await world.identity(token)).session_id
        world.events.clear()

        await end(world, pair)

        assert await world.id_of(token) == "token_revoked"
        session = await world.auth.storage.session(session_id)
        assert session is not None
        assert session.revoked_at is not None
        assert world.heard("impersonate_end") == [("impersonate_end", "user", "helper")]


STATEMENTS = {
    "a ban": "UPDATE {users} SET status = 'disabled' WHERE email = 'helper@example.com'",
    "a demotion": "UPDATE {users} SET roles = '[\"editor\"]' WHERE email = 'helper@example.com'",
    "a deletion": "DELETE FROM {users} WHERE email = 'helper@example.com'",
}


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("what", STATEMENTS)
async def test_it_ends_with_what_the_host_changes_by_sql(driver: str, fresh: Callable[[str], str], what: str) -> None:
    async with impersonating(fresh(driver)) as world:
        token = await world.acting(await world.pair("helper"))
        assert await world.id_of(token) == world.users["user"].id

        async with world.auth.storage.transaction() as storage:
            await storage.run(STATEMENTS[what], {})  # type: ignore[attr-defined]  # only storages over SQL

        assert await world.id_of(token) == "token_revoked"


async def test_a_right_that_comes_back_revives_nothing(world: World) -> None:
    token = await world.acting(await world.pair("helper"))
    await world.auth.users.set_roles(world.users["helper"].id, ["editor"])

    await world.auth.users.set_roles(world.users["helper"].id, ["helper"])

    assert await world.id_of(token) == "token_revoked"


async def test_it_ends_when_the_session_of_the_administrator_expires() -> None:
    async with impersonating(session_ttl=1000) as world:
        pair = await world.pair("helper")
        world.clock.move(500)

        answer = await world.impersonate(pair, "user")

        assert answer.json["expires_in"] == 500


async def user_logs_out_everywhere(world: World, own: TokenPair) -> None:
    await world.client.post("/auth/logout-all", headers=bearer(own))


async def user_changes_the_password(world: World, own: TokenPair) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await world.client.post("/auth/change-password", body, headers=bearer(own))).status < 300


async def user_is_banned(world: World, _: TokenPair) -> None:
    await world.auth.users.set_status(world.users["user"].id, "disabled")


async def user_is_deleted(world: World, _: TokenPair) -> None:
    await world.auth.users.delete(world.users["user"].id)


@pytest.mark.parametrize("end", [user_logs_out_everywhere, user_changes_the_password, user_is_banned, user_is_deleted])
async def test_it_ends_with_the_user(world: World, end: Callable[[World, TokenPair], Awaitable[None]]) -> None:
    own, pair = await world.pair("user", mfa=False), await world.pair("helper")
    token = await world.acting(pair)

    await end(world, own)

    assert await world.id_of(token) == "token_revoked"
    assert world.heard("impersonate_end") == [("impersonate_end", "user", "helper")]
    assert await world.id_of(pair.access_token) == world.users["helper"].id


async def test_other_sessions_of_the_administrator_do_not_matter(world: World) -> None:
    pair, other = await world.pair("helper"), await world.pair("helper")
    token = await world.acting(pair)

    await log_out(world, other)

    assert await world.id_of(token) == world.users["user"].id


async def test_all_that_one_session_began_ends_with_it(world: World) -> None:
    pair = await world.pair("helper")
    tokens = [await world.acting(pair, name) for name in ("user", "editor", "user")]
    ids = [(await world.identity(token)).session_id for token in tokens]

    await log_out(world, pair)

    found = [await world.auth.storage.session(session_id) for session_id in ids]
    assert all(session is not None and session.revoked_at is not None for session in found)


async def test_no_token_comes_of_it(world: World) -> None:
    token = await world.acting(await world.pair("helper"))
    identity = await world.identity(token)
    forged = world.auth.refresh_tokens.make(identity.session_id, 0)

    # The library gives no refresh token for it, and one that another way finds gives no more than there is.
    refused = await world.client.post("/auth/refresh", {"refresh_token": "x"}, headers=bearer(token))
    assert (refused.status, refused.json["code"]) == (403, "impersonated")
    renewed = await world.client.post("/auth/refresh", {"refresh_token": forged})
    assert renewed.status == 401


@pytest.mark.parametrize("driver", DRIVERS)
async def test_another_process_refuses_the_next_request(driver: str, fresh: Callable[[str], str]) -> None:
    url = fresh(driver)
    async with impersonating(url) as world:
        token = await world.acting(await world.pair("helper"))
        features = [*cheap(mail=True), Totp(), Admin()]
        async with make_auth(url, features=features, clock=world.clock, permissions=PERMISSIONS) as other:
            assert (await other.authenticate(token)).actor == world.users["helper"].id

            await ban(world, await world.pair("owner"))

            with pytest.raises(TokenRevokedError):
                await other.authenticate(token)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("end", [ban, demote])
async def test_a_beginning_races_with_the_end_of_the_right(
    driver: str, fresh: Callable[[str], str], end: Callable[[World, TokenPair], Awaitable[None]]
) -> None:
    async with impersonating(fresh(driver)) as world:
        pair = await world.pair("helper")

        begun = asyncio.gather(*(world.impersonate(pair, "user") for _ in range(6)))
        await end(world, pair)
        answers = await begun

        assert {answer.status for answer in answers} <= {200, 401, 403}
        tokens = [str(answer.json["access_token"]) for answer in answers if answer.status == 200]
        assert {await world.id_of(token) for token in tokens} <= {"token_revoked"}


@pytest.mark.parametrize("driver", DRIVERS)
async def test_a_stop_races_with_uses_and_with_other_stops(driver: str, fresh: Callable[[str], str]) -> None:
    async with impersonating(fresh(driver)) as world:
        token = await world.acting(await world.pair("helper"))
        used = asyncio.gather(*(world.client.get("/auth/me", headers=bearer(token)) for _ in range(6)))
        path, headers = "/auth/stop-impersonating", bearer(token)
        stops = await asyncio.gather(*(world.client.post(path, {}, headers=headers) for _ in range(4)))

        assert {answer.status for answer in stops} <= {204, 401}
        assert 204 in {answer.status for answer in stops}
        assert {answer.status for answer in await used} <= {200, 401}
        assert await world.id_of(token) == "token_revoked"
        assert world.heard("impersonate_end") == [("impersonate_end", "user", "helper")]


async def test_a_beginning_that_a_stop_overtakes_makes_no_fresh_login(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await world.pair("helper")
    own = await world.identity(pair)
    renew, storage = world.auth.storage.renew_session, world.auth.storage

    async def overtaken(session_id: str, **options: Any) -> Any:
        monkeypatch.setattr(storage, "renew_session", renew)
        await renew(session_id, auth_time=0, amr=(), data={}, now=int(world.clock()))
        return await renew(session_id, **options)

    monkeypatch.setattr(storage, "renew_session", overtaken)
    await world.acting(pair)

    session = await storage.session(own.session_id)
    assert session is not None
    assert session.auth_time == 0
