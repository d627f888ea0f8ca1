"""The bounds of an impersonation: what a session with an actor may not do, and what is left of roles and claims."""

from typing import Any

import pytest

from asgi_auth import Admin, MagicLink, Totp
from asgi_auth.errors import AuthError, ImpersonatedError
from asgi_auth.feature import Client as Caller
from tests.features.administration import PERMISSIONS, World, administered
from tests.support import bearer, cheap, login


async def begun(world: World, by: str = "owner", user: str = "user") -> dict[str, str]:
    """Begin to act for a user; return the header."""
    answer = await world.call(by, "POST", f"/users/{{{user}}}/impersonate")
    assert answer.status == 200, answer.body
    return bearer(answer.json["access_token"])


async def test_the_user_sees_it_and_ends_it() -> None:
    async with administered() as world:
        own, headers = bearer(await login(world.auth, "user@example.com")), await begun(world)

        listed = (await world.call(own, "GET", "/sessions")).json["sessions"]
        [acting] = [session for session in listed if "actor" in session]
        assert acting["actor"] == world.users["owner"].id
        assert (await world.call(own, "DELETE", f"/sessions/{acting['id']}")).status == 204
        assert (await world.call(headers, "GET", "/me")).status == 401


async def test_of_a_role_of_which_the_administrator_has_a_part_that_part_is_left() -> None:
    permissions = {**PERMISSIONS, "mixed": ["users:read", "money:spend"]}
    async with administered(permissions=permissions) as world:
        token = (await begun(world, "helper"))["authorization"].removeprefix("Bearer ")

        await world.auth.users.set_roles(world.users["user"].id, ["mixed"])

        identity = await world.auth.authenticate(token)
        assert identity.permissions == {"users:read"}
        assert identity.roles == ()
        assert identity.scopes == ["authenticated", "users:read"]
        assert identity.with_roles(("owner",)).permissions == {"users:read"}


async def test_acting_for_a_user_is_not_acting_for_another_administrator() -> None:
    async with administered() as world:
        await world.auth.users.set_roles(world.users["user"].id, ["helper"])
        headers = await begun(world, "owner")

        for method, path, body in (
            ("GET", "/users", {}),
            ("POST", "/users/{editor}/impersonate", {}),
            ("POST", "/users/{editor}/roles", {"roles": ["reader"]}),
        ):
            answer = await world.call(headers, method, path, **body)
            assert (answer.status, answer.json["code"]) == (403, "impersonated")


async def test_a_session_with_an_actor_makes_nothing_that_logs_in() -> None:
    """Found by the test: no endpoint that wants proof, or gives tokens, is open; new ones are not either."""
    features = [*cheap(mail=True), MagicLink(), Totp(), Admin()]
    async with administered(features=features) as world:
        headers, before = await begun(world), await world.auth.storage.credentials(world.users["user"].id)
        closed = [
            endpoint
            for feature in world.auth.features
            for endpoint in feature.endpoints
            if "identity" in endpoint.injected and endpoint.is_for_user_alone
        ]
        assert {"change_password", "set_password", "change_email", "close_account", "totp_turn_off"} <= {
            endpoint.name for endpoint in closed
        }
        for endpoint in closed:
            body = {name: "x" for name, one in endpoint.fields.items() if name != "id" and one.required}
            path = endpoint.path.replace("{id}", world.users["user"].id).replace("{sid}", "x")
            answer = await world.call(headers, endpoint.method, path, **body)
            assert (answer.status, answer.json["code"]) == (403, "impersonated"), endpoint.name
        assert (await world.call(headers, "POST", "/totp/setup")).json["code"] == "impersonated"
        assert await world.auth.storage.credentials(world.users["user"].id) == before


@pytest.mark.parametrize("fresh", [False, True])
async def test_an_actor_proves_nothing_in_the_place_of_the_user(*, fresh: bool) -> None:
    async with administered() as world:
        token = (await begun(world))["authorization"].removeprefix("Bearer ")

        with pytest.raises(ImpersonatedError):
            await world.auth.pipeline.admission.prove(await world.auth.authenticate(token), fresh=fresh)


async def test_the_core_renews_no_session_with_an_actor() -> None:
    async with administered() as world:
        token = (await begun(world))["authorization"].removeprefix("Bearer ")
        identity = await world.auth.authenticate(token)

        with pytest.raises(ImpersonatedError):
            await world.auth.renew(identity, amr=("pwd",), client=Caller())
        with pytest.raises(AuthError):
            await world.auth.refresh(world.auth.refresh_tokens.make(identity.session_id, 1))


async def test_a_mailed_link_needs_more_than_an_actor() -> None:
    """The link of a mail proves the mailbox; a session proves the rest, but not one of an administrator."""
    async with administered() as world:
        await world.auth.users.set_verified(world.users["user"].id, verified=False)
        headers = await begun(world)
        assert (await world.call("user", "POST", "/resend-verification")).status == 202
        token = (await world.outbox.next("verify_email")).token

        answer = await world.call(headers, "POST", "/verify-email", token=token)

        assert (answer.status, answer.json["code"]) == (401, "password_needed")


async def test_who_acts_for_no_one_has_nothing_to_stop() -> None:
    async with administered() as world:
        answer = await world.call("owner", "POST", "/stop-impersonating")
        assert (answer.status, answer.json["code"]) == (403, "forbidden")
        assert (await world.call({}, "POST", "/stop-impersonating")).status == 401


async def test_a_user_who_is_off_has_no_session() -> None:
    async with administered() as world:
        await world.auth.users.ban(world.users["user"].id, reason="spam", tell=True)
        answer = await world.call("owner", "POST", "/users/{user}/impersonate")
        assert (answer.status, answer.json["code"]) == (403, "account_disabled")


async def test_claims_of_the_host_that_fail_leave_no_session() -> None:
    async with administered() as world:
        world.auth.impersonation._acting._claims = lambda user: {"act": user.id}

        with pytest.raises(ValueError, match="reserved"):
            await world.auth.impersonation.begin(
                world.auth[Admin]._by(identity := await owner(world), "users:impersonate"),
                identity,
                world.users["user"].id,
                Caller(),
            )

        assert await world.auth.users.sessions(world.users["user"].id) == []


async def owner(world: World) -> Any:
    return await world.auth.authenticate((await world.pair("owner")).access_token)
