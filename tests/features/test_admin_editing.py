"""Administration over HTTP: a change is whole or nothing, and users without a password are invited again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import Admin, Field
from asgi_auth.errors import UserExistsError
from asgi_auth.model.records import Event
from tests.features.administration import World, administered
from tests.features.flows import NEW_PASSWORD
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import cheap, login, make_auth

FIELDS = [Field("nick", unique=True), Field("plan", choices=["free", "pro"], write="admin")]
PAUSE = 60


async def test_the_address_that_a_user_has_changes_nothing() -> None:
    permissions = {"owner": ["*"], "writer": ["users:write"], "helper": [], "reader": [], "editor": []}
    async with administered(fields=FIELDS, permissions=permissions) as world:
        await world.add("writer", "writer")
        await login(world.auth, "user@example.com")

        same = await world.call("writer", "PATCH", "/users/{user}", email="user@example.com", nick="u")
        other = await world.call("writer", "PATCH", "/users/{user}", email="other@example.com")

        assert (same.status, same.json["data"]["nick"], same.json["email_verified"]) == (200, "u", True)
        assert len(await world.auth.users.sessions(world.users["user"].id)) == 1
        assert (other.status, (await world.auth.users.get(world.users["user"].id)).email) == (403, "user@example.com")


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_change_is_whole_or_nothing(driver: str, fresh: Callable[[str], str]) -> None:
    async with administered(fresh(driver), fields=FIELDS) as world:
        await world.auth.users.set_data(world.users["editor"].id, nick="Taken")
        before = await world.auth.users.get(world.users["user"].id)
        await login(world.auth, "user@example.com")

        taken = await world.call("owner", "PATCH", "/users/{user}", email="new@example.com", nick="taken", plan="pro")
        exists = await world.call("owner", "PATCH", "/users/{user}", email="editor@example.com", nick="x")
        verified = await world.call("owner", "PATCH", "/users/{user}", email_verified=False, nick="TAKEN")

        assert [(answer.status, answer.json["code"]) for answer in (taken, exists, verified)] == [
            (422, "validation_error"), (409, "user_exists"), (422, "validation_error"),
        ]  # fmt: skip
        after = await world.auth.users.get(before.id)
        assert (after.email, after.email_verified, after.own_data) == (before.email, True, before.own_data)
        assert len(await world.auth.users.sessions(before.id)) == 1
        free = await world.call("owner", "PATCH", "/users/{editor}", nick="x")
        assert free.status == 200
        whole = await world.call("owner", "PATCH", "/users/{user}", email="new@example.com", nick="Taken", plan="pro")
        assert (whole.json["email"], whole.json["data"]) == ("new@example.com", {"nick": "Taken", "plan": "pro"})
        assert await world.auth.users.sessions(before.id) == []


async def invited(world: World, *roles: str, by: str = "owner") -> str:
    """Invite a user; return the id."""
    made = await world.call(by, "POST", "/users", email="new@example.com", roles=roles)
    return str(made.json["id"])


async def accepted(world: World, token: str) -> int:
    answer = await world.client.post("/auth/accept-invitation", {"token": token, "new_password": NEW_PASSWORD})
    return answer.status


async def test_a_new_link_takes_the_place_of_the_earlier_one() -> None:
    async with administered() as world:
        user_id = await invited(world, "editor")
        first = await world.outbox.next("invitation")
        world.clock.move(PAUSE)

        again = await world.call("owner", "POST", f"/users/{user_id}/invite")

        assert (again.status, again.json["email"]) == (200, "new@example.com")
        second = await world.outbox.next("invitation")
        assert second.token not in again.body.decode()
        assert (second.to, await accepted(world, first.token)) == ("new@example.com", 400)
        assert await accepted(world, second.token) == 204
        assert (await world.auth.users.get(user_id)).roles == ("editor",)
        assert (await login(world.auth, "new@example.com", NEW_PASSWORD)).access_token


async def test_another_invitation_waits_a_minute() -> None:
    async with administered() as world:
        user_id = await invited(world)
        headers = await world.headers("owner")
        world.clock.move(PAUSE - 1)

        early = await world.call(headers, "POST", f"/users/{user_id}/invite")
        world.clock.move(int(early.header("retry-after") or 0))

        assert (early.status, early.json["code"]) == (429, "rate_limited")
        assert (await world.call(headers, "POST", f"/users/{user_id}/invite")).status == 200


async def test_an_invitation_that_is_over_is_sent_again_without_roles() -> None:
    async with administered() as world:
        user_id = await invited(world, "editor")
        await world.outbox.next("invitation")
        world.clock.move(8 * 86400)

        assert (await world.call("owner", "POST", f"/users/{user_id}/invite")).status == 200
        assert await accepted(world, (await world.outbox.next("invitation")).token) == 204
        assert (await world.auth.users.get(user_id)).roles == ()


async def test_an_administrator_sends_no_invitation_with_more_than_they_may_give() -> None:
    async with administered() as world:
        user_id = await invited(world, "owner")
        mail = await world.outbox.next("invitation")
        world.clock.move(PAUSE)

        refused = await world.call("helper", "POST", f"/users/{user_id}/invite")

        assert (refused.status, refused.json["code"]) == (403, "forbidden")
        # The link that was refused a successor still works.
        assert await accepted(world, mail.token) == 204


async def test_users_with_a_password_and_banned_ones_are_not_invited() -> None:
    async with administered() as world:
        user_id = await invited(world)
        await world.outbox.next("invitation")
        world.clock.move(PAUSE)
        await world.auth.users.ban(user_id)

        banned = await world.call("owner", "POST", f"/users/{user_id}/invite")
        has_one = await world.call("owner", "POST", "/users/{user}/invite")
        missing = await world.call("owner", "POST", "/users/00000000-0000-0000-0000-000000000000/invite")

        assert [answer.json["code"] for answer in (banned, has_one, missing)] == [
            "user_exists", "user_exists", "user_not_found",
        ]  # fmt: skip
        await world.auth.mail.idle()
        assert [mail.purpose for mail in world.outbox.mails if mail.purpose == "invitation"] == []


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_of_links_that_are_sent_at_once_one_works(driver: str, fresh: Callable[[str], str]) -> None:
    async with administered(fresh(driver)) as world:
        user = await world.auth.users.invite("new@example.com", roles=["editor"])
        await asyncio.gather(*[world.auth.users.invite_again(user.id) for _ in range(8)])
        await world.auth.mail.idle()

        tokens = [mail.token for mail in world.outbox.mails]
        statuses = [await accepted(world, token) for token in tokens]

        assert (len(tokens), sorted(statuses)) == (9, [204] + [400] * 8)
        assert (await world.auth.users.get(user.id)).roles == ("editor",)


async def test_every_invitation_names_its_author() -> None:
    seen: list[Event] = []
    async with administered() as world:
        world.auth.on("user_change", seen.append)
        user_id = await invited(world)
        world.clock.move(PAUSE)
        await world.call("owner", "POST", f"/users/{user_id}/invite")
        await world.call("owner", "POST", "/users", email="new@example.com")

    owner = world.users["owner"].id
    found: list[tuple[Any, ...]] = [(event.user_id, event.actor, event.data) for event in seen]
    assert found == [(user_id, owner, {"fields": ["invitation"]})] * 2


async def test_without_mails_there_is_nothing_to_send_again() -> None:
    async with make_auth(features=[*cheap(), Admin(second_factor=False)]) as auth:
        assert "invite_user" not in {endpoint.name for endpoint in auth[Admin].endpoints}
        user = await auth.users.create("a@example.com")
        with pytest.raises(ValueError, match="Invitations"):
            await auth.users.invite_again(user.id)


async def test_an_account_with_a_password_is_not_invited_in_process() -> None:
    async with administered() as world:
        with pytest.raises(UserExistsError):
            await world.auth.users.invite_again(world.users["user"].id)
