"""Impersonation of a user who gets more rights than the administrator meanwhile: it may read, and write nothing."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from asgi_auth import Account, Field
from asgi_auth.errors import ImpersonatedError
from asgi_auth.sessions.tokens import ACTOR
from tests.features.impersonating import World, impersonating
from tests.support import Answer, bearer

DRIVERS = ("sqlite", "postgres18")
FIELDS = [Field("nick", max_length=20)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with impersonating(fields=FIELDS) as made:
        yield made


async def rise(world: World, *roles: str) -> None:
    """Change the roles of the user as another process does: nothing is known of it in memory."""
    await world.auth.storage.update_user(world.users["user"].id, {"roles": roles}, int(world.clock()))


async def writes(world: World, token: str) -> list[Answer]:
    """Call everything that an administrator may change in the place of a user, the last one with an end."""
    live = await world.auth.storage.sessions(world.users["user"].id, int(world.clock()), 0)
    [own] = [session for session in live if ACTOR not in session.data]
    calls: list[tuple[str, str, Any]] = [
        ("PATCH", "/auth/me", {"nick": "rogue"}),
        ("DELETE", f"/auth/sessions/{own.id}", None),
        ("POST", "/auth/logout-all", {}),
    ]
    return [
        await world.client.request(method, path, json_body=body, headers=bearer(token)) for method, path, body in calls
    ]


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_administrator_writes_nothing_for_a_user_who_has_risen_above(
    driver: str, fresh: Callable[[str], str]
) -> None:
    async with impersonating(fresh(driver), fields=FIELDS) as world:
        own = await world.pair("user", mfa=False)
        token = await world.acting(await world.pair("helper"))
        changed = await world.client.request("PATCH", "/auth/me", json_body={"nick": "ada"}, headers=bearer(token))
        assert changed.status == 200

        await rise(world, "billing")
        refused = await writes(world, token)

        assert [(answer.status, answer.json.get("code")) for answer in refused] == [(403, "impersonated")] * 3
        me = await world.client.get("/auth/me", headers=bearer(token))
        assert (me.status, me.json["data"]["nick"]) == (200, "ada")
        assert (await world.identity(own)).id == me.json["id"]
        await rise(world, "editor")
        assert [answer.status for answer in await writes(world, token)] == [200, 204, 200]


async def test_a_role_that_permits_nothing_more_stops_no_administrator(world: World) -> None:
    """Permissions decide, and not the names of roles."""
    token = await world.acting(await world.pair("helper"))

    await rise(world, "customer", "editor")

    answer = await world.client.request("PATCH", "/auth/me", json_body={"nick": "ada"}, headers=bearer(token))
    identity = await world.identity(token)
    assert (answer.status, identity.outranks_actor, identity.roles) == (200, False, ("customer", "editor"))


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/stop-impersonating"])
async def test_the_way_out_stays_open(world: World, path: str) -> None:
    token = await world.acting(await world.pair("helper"))
    await rise(world, "owner")

    assert (await world.client.post(path, {}, headers=bearer(token))).status == 204

    assert await world.id_of(token) == "token_revoked"


async def test_an_identity_from_before_is_judged_as_the_user_is_now(world: World) -> None:
    identity = await world.identity(await world.acting(await world.pair("helper")))
    assert not identity.outranks_actor
    await rise(world, "owner")

    with pytest.raises(ImpersonatedError):
        await world.auth[Account].update_me(identity=identity, nick="rogue")

    assert (await world.auth.users.get(identity.id)).data["nick"] is None


async def test_a_host_can_tell(world: World) -> None:
    token = await world.acting(await world.pair("helper"))
    await rise(world, "owner")

    assert (await world.identity(token)).outranks_actor
    assert not (await world.identity(await world.pair("owner"))).outranks_actor
