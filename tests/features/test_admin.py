"""Administration over HTTP: what each endpoint does, and the events with their authors."""

from typing import Any

import msgspec
import pytest

from asgi_auth import Admin, Field, Passwords
from asgi_auth.features.defaults import defaults
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Event
from tests.features.administration import administered
from tests.features.flows import NEW_PASSWORD
from tests.support import PASSWORD, cheap, login, make_auth


async def test_users_are_listed_in_pages_the_newest_first() -> None:
    async with administered() as world:
        for number in range(3):
            world.clock.move(1)
            await world.add(f"u{number}")

        first = (await world.call("reader", "GET", "/users?limit=2")).json
        second = (await world.call("reader", "GET", f"/users?limit=2&after={first['next']}")).json

        assert [user["email"] for user in first["users"]] == ["u2@example.com", "u1@example.com"]
        assert second["users"][0]["email"] == "u0@example.com"
        everyone = (await world.call("reader", "GET", "/users?limit=100")).json
        assert len(everyone["users"]) == 8
        assert "next" not in everyone
        assert {key for user in everyone["users"] for key in user} == {
            "id", "email", "email_verified", "status", "roles", "data", "created_at", "updated_at",
        }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=OWN", ["owner"]), ("search=%EF%BC%AFwn", ["owner"]), ("search=r%25", []), ("search=own_r", []),
        ("search=re&role=reader", ["reader"]), ("search=re&status=closed", []), ("role=helper", ["helper"]),
        ("status=disabled", []), ("role=help", []), ("role=%25", []),
    ],
)  # fmt: skip
async def test_users_are_searched(query: str, found: list[str]) -> None:
    async with administered() as world:
        answer = await world.call("reader", "GET", f"/users?{query}")

        assert [user["email"].partition("@")[0] for user in answer.json["users"]] == found


@pytest.mark.parametrize(
    "query",
    ["search=a", "search=a%00b", "limit=0", "limit=101", "limit=x", "status=gone", "after=x", "search=ab&after=WzFd",
     "other=1", "search=ab&search=cd", "role=%00"],
)  # fmt: skip
async def test_a_query_that_makes_no_sense_is_refused(query: str) -> None:
    async with administered() as world:
        assert (await world.call("reader", "GET", f"/users?{query}")).status in {400, 422}


async def test_a_user_with_all_details() -> None:
    async with administered() as world:
        world.clock.move(5)
        await login(world.auth, "user@example.com")
        await world.auth.users.ban(world.users["user"].id, reason="spam", until=world.clock() + 60)

        found = (await world.call("reader", "GET", "/users/{user}")).json

        assert (found["status"], found["factors"], found["ways"]) == ("disabled", [], ["email", "password"])
        assert found["last_login"] == world.clock()
        assert found["ban"] == {"reason": "spam", "tell": False, "until": world.clock() + 60}
        assert "_ban" not in found["data"]
        for missing in ("x", "00000000-0000-0000-0000-000000000000"):
            assert (await world.call("reader", "GET", f"/users/{missing}")).json["code"] == "user_not_found"


async def test_a_user_is_invited() -> None:
    async with administered() as world:
        made = await world.call("helper", "POST", "/users", email="new@example.com", roles=["helper"])
        assert (made.status, made.json["roles"], made.json["status"]) == (201, [], "active")
        mail = await world.outbox.next("invitation")
        assert mail.token not in made.body.decode()
        details = (await world.call("reader", "GET", f"/users/{made.json['id']}")).json
        assert details["invited_until"] == world.clock() + 7 * 86400

        accepted = {"token": mail.token, "new_password": NEW_PASSWORD}
        assert (await world.client.post("/auth/accept-invitation", accepted)).status == 204

        assert (await world.auth.users.get(made.json["id"])).roles == ("helper",)
        assert (await login(world.auth, "new@example.com", NEW_PASSWORD)).access_token


async def test_a_demoted_inviter_gives_nothing() -> None:
    async with administered() as world:
        made = await world.call("helper", "POST", "/users", email="new@example.com", roles=["helper"])
        mail = await world.outbox.next("invitation")
        await world.call("owner", "POST", "/users/{helper}/roles", roles=["reader"])

        accepted = {"token": mail.token, "new_password": NEW_PASSWORD}
        assert (await world.client.post("/auth/accept-invitation", accepted)).status == 400
        assert (await world.auth.users.get(made.json["id"])).roles == ()


async def test_a_user_is_created_without_a_mail() -> None:
    async with administered() as world:
        made = await world.call("owner", "POST", "/users", email="new@example.com", roles=["editor"], invite=False)
        assert (made.status, made.json["roles"]) == (201, ["editor"])
        again = await world.call("owner", "POST", "/users", email="NEW@example.com", invite=False)
        assert (again.status, again.json["code"]) == (409, "user_exists")
        taken = await world.call("owner", "POST", "/users", email="user@example.com")
        assert (taken.status, taken.json["code"]) == (409, "user_exists")
        for wrong in ({"email": "x"}, {"email": "a@b.example", "roles": ["king"]}, {"email": "a@b.example", "x": 1}):
            assert (await world.call("owner", "POST", "/users", **wrong)).status == 422
        await world.auth.mail.idle()
        assert world.outbox.mails == []


async def test_extra_fields_of_all_kinds_are_set() -> None:
    fields = [Field("company", required=True), Field("credit", int, write="admin"), Field("nick")]
    async with administered(fields=[Field("nick"), *fields[1:2]]) as world:
        made = await world.call("owner", "POST", "/users", email="a@example.com", credit=3, invite=False)
        assert made.json["data"] == {"nick": None, "credit": 3}
        changed = await world.call("owner", "PATCH", "/users/{user}", credit=7, nick="x")
        assert changed.json["data"] == {"nick": "x", "credit": 7}
        assert (await world.call("owner", "PATCH", "/users/{user}", credit="7")).status == 422


async def test_an_address_is_changed_and_the_old_one_told() -> None:
    async with administered() as world:
        pair = await login(world.auth, "user@example.com")

        answer = await world.call("owner", "PATCH", "/users/{user}", email="new@example.com", email_verified=True)

        assert (answer.json["email"], answer.json["email_verified"]) == ("new@example.com", True)
        assert (await world.outbox.next("email_changed")).to == "user@example.com"
        assert (await world.client.post("/auth/refresh", {"refresh_token": pair.refresh_token})).status == 401
        assert (await world.call("owner", "PATCH", "/users/{user}", email_verified=False)).status == 200
        taken = await world.call("owner", "PATCH", "/users/{user}", email="editor@example.com")
        assert (taken.status, taken.json["code"]) == (409, "user_exists")


async def test_a_ban_and_its_end() -> None:
    async with administered() as world:
        body = {"reason": "spam", "until": int(world.clock()) + 60, "tell": True}
        banned = await world.call("helper", "POST", "/users/{user}/disable", **body)
        assert banned.json["ban"] == {**body, "by": world.users["helper"].id}
        refused = await world.client.post("/auth/login", {"email": "user@example.com", "password": PASSWORD})
        assert (refused.status, refused.json["reason"], refused.json["until"]) == (403, "spam", body["until"])

        enabled = await world.call("helper", "POST", "/users/{user}/enable")
        assert (enabled.json["status"], "ban" in enabled.json) == ("active", False)
        await world.auth.users.set_status(world.users["user"].id, "closed")
        assert (await world.call("helper", "POST", "/users/{user}/enable")).json["status"] == "active"


async def test_sessions_of_a_user() -> None:
    async with administered() as world:
        for _ in range(3):
            await login(world.auth, "user@example.com")

        listed = (await world.call("helper", "GET", "/users/{user}/sessions")).json["sessions"]
        one = listed[0]["id"]
        assert len(listed) == 3
        assert (await world.call("helper", "DELETE", f"/users/{{user}}/sessions/{one}")).status == 204
        assert (await world.call("helper", "DELETE", f"/users/{{user}}/sessions/{one}")).status == 404
        other = (await world.auth.users.sessions(world.users["helper"].id))[0].id
        assert (await world.call("helper", "DELETE", f"/users/{{user}}/sessions/{other}")).status == 404
        assert (await world.call("helper", "DELETE", "/users/{user}/sessions")).json == {"ended": 2}


@pytest.mark.parametrize("everything", [False, True])
async def test_a_password_is_reset_by_a_mail(*, everything: bool) -> None:
    async with administered() as world:
        user, pair = world.users["user"], await login(world.auth, "user@example.com")
        key = world.auth[Passwords].passwords.credential(user.id, "x")
        await world.auth.storage.add_credential(msgspec.structs.replace(key, id="k", kind="passkey"))

        answer = await world.call("helper", "POST", "/users/{user}/reset-password", all=everything)

        assert answer.status == 204
        refused = await world.client.post("/auth/login", {"email": "user@example.com", "password": PASSWORD})
        assert (refused.status, refused.json["code"]) == (401, "invalid_credentials")
        assert (await world.client.post("/auth/refresh", {"refresh_token": pair.refresh_token})).status == 401
        kinds = {each.kind for each in await world.auth.storage.credentials(user.id)}
        assert ("passkey" in kinds) is not everything
        mail = await world.outbox.next("password_disabled")
        body = {"token": mail.token, "new_password": NEW_PASSWORD}
        assert (await world.client.post("/auth/reset-password", body)).status == 204
        assert (await login(world.auth, "user@example.com", NEW_PASSWORD)).access_token
        assert {mail.purpose for mail in world.outbox.mails} <= {"password_changed"}


async def test_events_of_a_user_by_name_and_time() -> None:
    async with administered() as world:
        start = int(world.clock())
        for role in ("editor", "reader"):
            world.clock.move(10)
            await world.call("owner", "POST", "/users/{user}/roles", roles=[role])

        async def listed(query: str = "") -> list[dict[str, Any]]:
            answer = await world.call("reader", "GET", f"/users/{{user}}/events{query}")
            found: list[dict[str, Any]] = answer.json["events"]
            return found

        changes = await listed("?name=role_change")
        assert [event["at"] - start for event in changes] == [20, 10]
        assert {event["actor"] for event in changes} == {world.users["owner"].id}
        assert [event["at"] - start for event in await listed(f"?name=role_change&since={start + 15}")] == [20]
        assert [event["at"] - start for event in await listed(f"?name=role_change&until={start + 20}")] == [10]
        assert [event["at"] - start for event in await listed(f"?name=role_change&before={changes[0]['id']}")] == [10]
        first = await world.call("reader", "GET", "/users/{user}/events?limit=1")
        second = await world.call("reader", "GET", f"/users/{{user}}/events?before={first.json['next']}")
        assert first.json["events"] + second.json["events"] == await listed()


async def test_a_deleted_user_is_gone() -> None:
    async with administered() as world:
        assert (await world.call("helper", "DELETE", "/users/{user}")).status == 204
        assert (await world.call("helper", "DELETE", "/users/{user}")).json["code"] == "user_not_found"


async def test_every_event_of_a_change_names_the_administrator() -> None:
    async with administered() as world:
        await login(world.auth, "user@example.com")
        headers, user_id = await world.headers("owner"), world.users["user"].id
        seen: list[Event] = []
        world.auth.on("*")(seen.append)

        for method, path, body in (
            ("POST", "/users/{user}/roles", {"roles": ["editor"]}),
            ("PATCH", "/users/{user}", {"email": "new@example.com"}),
            ("POST", "/users/{user}/disable", {}),
            ("POST", "/users/{user}/enable", {}),
            ("POST", "/users/{user}/reset-password", {}),
            ("DELETE", "/users/{user}/factors", {}),
            ("DELETE", "/users/{user}", {}),
        ):
            assert (await world.call(headers, method, path, **body)).status < 300
        await world.auth.mail.idle()

        about = [event for event in seen if event.user_id == user_id and event.name not in {"mail", "one_time_token"}]
        assert {event.name for event in about} >= {events.ROLE_CHANGE, events.EMAIL_CHANGE, events.ACCOUNT_DELETE}
        assert {event.actor for event in about} == {world.users["owner"].id}
        assert {event.client.address for event in about} == {"192.0.2.7"}


async def test_without_a_second_factor_that_anyone_could_have_there_is_no_administration() -> None:
    with pytest.raises(ValueError, match="Totp"):
        make_auth(features=[*defaults(mail=False), Admin()])


async def test_for_development_no_second_factor_is_needed() -> None:
    async with administered(features=[*cheap(mail=True), Admin(second_factor=False)]) as world:
        headers = await world.headers("owner", mfa=False)
        assert (await world.call(headers, "POST", "/users/{user}/roles", roles=["editor"])).status == 200
