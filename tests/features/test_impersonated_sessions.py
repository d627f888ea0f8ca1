"""Impersonation: who may act for which user, what the session is, and what the user and the records see of it."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from asgi_auth import Admin, Audit, SecondFactors, Totp
from asgi_auth.errors import FreshLoginRequiredError, SecondFactorNeededError
from asgi_auth.feature import Client as Caller
from asgi_auth.feature import Credential, Event
from asgi_auth.sessions.identity import MFA
from tests.features.impersonating import World, impersonating
from tests.support import bearer, cheap

DRIVERS = ("sqlite", "postgres18")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with impersonating() as made:
        yield made


@pytest.mark.parametrize("driver", DRIVERS)
async def test_an_administrator_acts_for_a_user_for_an_hour(driver: str, fresh: Callable[[str], str]) -> None:
    async with impersonating(fresh(driver)) as world:
        answer = await world.impersonate(await world.pair("helper"), "user")

        assert answer.status == 200
        assert dict(answer.json) == {
            "access_token": answer.json["access_token"],
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_expires_in": 0,
        }
        identity = await world.identity(str(answer.json["access_token"]))
        assert (identity.id, identity.actor) == (world.users["user"].id, world.users["helper"].id)
        assert (identity.auth_time, identity.amr) == (0, ())
        assert identity.claims["act"]["sub"] == world.users["helper"].id
        session = await world.auth.storage.session(identity.session_id)
        assert session is not None
        assert session.data["actor"]["id"] == world.users["helper"].id
        assert session.expires_at == world.clock() + 3600
        world.clock.move(3599)
        assert await world.id_of(str(answer.json["access_token"])) == identity.id
        world.clock.move(1 + world.auth.settings.leeway)
        assert await world.id_of(str(answer.json["access_token"])) in {"token_expired", "token_revoked"}


async def test_the_session_of_the_administrator_goes_on(world: World) -> None:
    pair = await world.pair("helper")

    await world.acting(pair)

    assert (await world.identity(pair)).id == world.users["helper"].id
    assert (await world.auth.refresh(pair.refresh_token)).refresh_token
    # Still a fresh login: another user can be helped at once.
    assert (await world.impersonate(pair, "editor")).status == 200


async def test_it_is_never_a_fresh_login_nor_one_with_a_second_factor(world: World) -> None:
    identity = await world.identity(await world.acting(await world.pair("helper")))

    with pytest.raises(FreshLoginRequiredError):
        identity.require(fresh=timedelta(days=10000))
    with pytest.raises(SecondFactorNeededError):
        identity.require(second_factor=True)


@pytest.mark.parametrize(
    ("by", "target", "status", "code"),
    [
        ("user", "editor", 403, "forbidden"),
        ("editor", "user", 403, "forbidden"),
        ("helper", "owner", 403, "forbidden"),
        ("helper", "billing", 403, "forbidden"),
        ("helper", "helper", 403, "forbidden"),
        ("owner", "owner", 403, "forbidden"),
        ("helper", "editor", 200, None),
        ("owner", "helper", 200, None),
    ],
)
async def test_who_may_act_for_which_user(world: World, by: str, target: str, status: int, code: str | None) -> None:
    answer = await world.impersonate(await world.pair(by), target)

    assert (answer.status, answer.json.get("code")) == (status, code)


async def test_it_takes_a_fresh_login_and_a_second_factor(world: World) -> None:
    without = await world.impersonate(await world.pair("helper", mfa=False), "user")
    pair = await world.pair("helper")
    world.clock.move(601)

    assert (without.status, without.json["code"]) == (403, "second_factor_needed")
    late = await world.impersonate(pair, "user")
    assert (late.status, late.json["code"]) == (401, "fresh_login_required")


async def test_no_one_acts_from_an_impersonated_session(world: World) -> None:
    token = await world.acting(await world.pair("owner"), "helper")

    assert "users:impersonate" in (await world.identity(token)).permissions
    answer = await world.impersonate(token, "user")
    assert (answer.status, answer.json["code"]) == (403, "impersonated")


async def test_it_may_do_what_both_may_do(world: World) -> None:
    pair = await world.pair("helper")
    token = await world.acting(pair, "editor")
    assert (await world.identity(token)).permissions == {"posts:write"}

    await world.auth.users.set_roles(world.users["editor"].id, ["editor", "billing", "customer"])
    both = await world.identity(token)
    assert both.permissions == {"posts:write"}
    assert both.roles == ("editor", "customer")

    await world.auth.users.set_roles(world.users["editor"].id, ["owner"])
    # A user who became an administrator lends no one what an administrator may do.
    assert (await world.identity(token)).roles == ()
    assert (await world.identity(token)).permissions == {"posts:write", "users:impersonate"}


async def test_every_event_and_record_names_the_administrator(world: World) -> None:
    names = ("session_start", "impersonate", "user_change", "access", "session_end", "impersonate_end")
    world.auth.on("access", world.events.append)
    own = await world.pair("helper")
    world.events.clear()
    token = await world.acting(own)
    await world.client.request("PATCH", "/auth/me", json_body={}, headers=bearer(token))
    assert (await world.client.post("/auth/totp/setup", {}, headers=bearer(token))).status == 403
    assert (await world.client.post("/auth/stop-impersonating", headers=bearer(token))).status == 204

    found = world.heard(*names)

    assert {subject for _, subject, _ in found} == {"user"}
    assert {actor for _, _, actor in found} == {"helper"}
    assert {name for name, _, _ in found} == set(names)
    records = await world.auth[Audit].list(world.users["user"].id)
    told = {record.name for record in records if record.actor == world.users["helper"].id}
    assert {"impersonate", "impersonate_end", "session_end"} <= told


async def test_a_refusal_is_reported_with_the_administrator(world: World) -> None:
    refused: list[Event] = []
    world.auth.on("impersonate", refused.append, outcome="failure")

    await world.impersonate(await world.pair("helper"), "owner")

    assert [(event.user_id, event.data["reason"]) for event in refused] == [(world.users["helper"].id, "forbidden")]


async def test_it_is_no_login_of_the_user(world: World) -> None:
    await world.auth.mail.idle()
    world.outbox.mails.clear()
    user_id = world.users["user"].id
    own = await world.pair("helper")

    await world.acting(own)

    assert (await world.auth.users.get(user_id)).last_login is None
    assert world.heard("login", "new_device") == [("login", "helper", None)]
    await world.auth.mail.idle()
    assert world.outbox.mails == []


@pytest.mark.parametrize("driver", DRIVERS)
async def test_it_ends_no_session_of_the_user_over_the_limit(driver: str, fresh: Callable[[str], str]) -> None:
    async with impersonating(fresh(driver), max_sessions=2) as world:
        first = await world.pair("user", mfa=False)
        world.clock.move(1)
        second = await world.pair("user", mfa=False)
        helper = await world.pair("helper")

        tokens = [await world.acting(helper), await world.acting(helper)]

        assert [await world.id_of(pair.access_token) for pair in (first, second)] == [world.users["user"].id] * 2
        world.clock.move(1)
        third = await world.pair("user", mfa=False)
        # The oldest session of the user makes room, and no session of an administrator.
        seen = [await world.id_of(token) for token in (*tokens, first.access_token, second.access_token)]
        user_id = world.users["user"].id
        assert seen == [user_id, user_id, "token_revoked", user_id]
        assert await world.id_of(third.access_token) == user_id


async def test_a_user_without_a_credential_can_be_helped(world: World) -> None:
    guest = await world.auth.users.create("guest@example.com")
    world.users["guest"] = guest
    await world.auth.storage.delete_credentials(guest.id, ["password"])

    assert await world.id_of(await world.acting(await world.pair("helper"), "guest")) == guest.id


async def test_without_permissions_the_role_may_act() -> None:
    features = [*cheap(), Admin(role="support", second_factor=False)]
    async with impersonating(features=features, permissions={}) as world:
        await world.auth.users.set_roles(world.users["editor"].id, ["support"])

        pair = await world.pair("editor", mfa=False)
        assert (await world.impersonate(pair, "user")).status == 200
        assert (await world.impersonate(await world.pair("user", mfa=False), "editor")).status == 403


async def test_the_hosts_claims_are_those_of_the_user() -> None:
    async with impersonating(claims=lambda user: {"mail": user.email}) as world:
        identity = await world.identity(await world.acting(await world.pair("helper")))

        assert identity.claims["mail"] == "user@example.com"


async def test_stopping_ends_the_session(world: World) -> None:
    pair = await world.pair("helper")
    token = await world.acting(pair)
    world.clock.move(700)

    stopped = await world.client.post("/auth/stop-impersonating", headers=bearer(token))

    assert (stopped.status, stopped.body) == (204, b"")
    assert await world.id_of(token) == "token_revoked"
    assert await world.id_of(pair.access_token) == world.users["helper"].id
    again = await world.client.post("/auth/stop-impersonating", headers=bearer(token))
    assert (again.status, again.json["code"]) == (401, "token_revoked")
    other = await world.client.post("/auth/stop-impersonating", headers=bearer(pair))
    assert (other.status, other.json["code"]) == (403, "forbidden")


async def test_a_forced_setup_does_not_shut_the_way_out() -> None:
    features = [*cheap(mail=True), Totp(), SecondFactors(required=True), Admin()]
    async with impersonating(features=features) as world:
        admin = world.users["helper"]
        pair = await world.auth.sessions.login(admin, await credential_of(world, admin.id), (MFA,), Caller())

        token = await world.acting(pair)

        assert (await world.client.post("/auth/stop-impersonating", headers=bearer(token))).status == 204


async def credential_of(world: World, user_id: str) -> Credential:
    found = await world.auth.storage.credential(user_id, "password")
    assert found is not None
    return found
