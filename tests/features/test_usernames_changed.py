"""Usernames that change: who may change them, and what becomes of the old one."""

import asyncio
from collections.abc import Callable

import pytest

from asgi_auth import Admin, Totp, Usernames
from asgi_auth.errors import ValidationError
from asgi_auth.model.records import Event
from tests.features.administration import administered
from tests.features.flows import NEW_PASSWORD
from tests.features.names import EVE, TAKEN, log_in, naming, register, rename
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD, cheap


async def test_another_name_needs_a_fresh_login_and_the_same_name_none() -> None:
    async with naming(access_ttl=7200) as app:
        await register(app)
        headers, seen = await app.headers(), list[Event]()
        app.auth.on("username_change", seen.append)
        await app.mail("verify_email")
        app.clock.move(601)
        stale = await rename(app, "Countess", headers)
        same = await rename(app, "Ada", headers)
        still = await log_in(app, "ada")
        await app.no_more_mail()
        done = await rename(app, "Countess", await app.headers())
        logins = [(await log_in(app, name)).status for name in ("countess", "ada")]
        notice = await app.mail("username_changed")

    assert (stale.status, stale.json["code"], stale.json["ways"]) == (401, "fresh_login_required", ["password"])
    assert (same.status, still.status, done.status, logins) == (200, 200, 200, [200, 401])
    assert done.json["data"] == {"username": "Countess"}
    assert notice.to == EMAIL
    assert len(seen) == 1


async def test_a_name_that_was_given_up_is_free() -> None:
    async with naming() as app:
        await register(app)
        headers = await app.headers()
        assert (await rename(app, None, headers)).json["data"] == {"username": None}
        assert (await log_in(app, "ada")).status == 401
        assert (await register(app, "ada", EVE)).status == 201


async def test_a_name_is_required_and_stays_with_its_user() -> None:
    async with naming(usernames=Usernames(required=True)) as app:
        without = await register(app, None)
        await register(app)
        kept = [await rename(app, name, await app.headers()) for name in (None, "")]
        still = await log_in(app, "ada")

    assert [answer.status for answer in (*kept, still)] == [200, 422, 200]
    assert (without.status, without.json["errors"]) == (422, {"username": ["This field is needed."]})


async def test_administrators_alone_change_names_where_users_may_not() -> None:
    async with naming(usernames=Usernames(change="admin")) as app:
        await register(app)
        refused = await rename(app, "Countess", await app.headers())
        user = await app.auth.users.by_email(EMAIL)
        await app.auth.users.set_data(user.id, username="Countess")
        await app.auth.users.create(EVE, password=PASSWORD, data={"username": "Eve"})
        with pytest.raises(ValidationError, match="not right"):
            await app.auth.users.set_data(user.id, username="EVE")
        with pytest.raises(ValidationError, match="not right"):
            await app.auth.users.set_data(user.id, username="no name")
        statuses = [(await log_in(app, name)).status for name in ("countess", "eve", "ada")]

    assert (refused.status, refused.json["errors"]) == (422, {"username": ["There is no such field."]})
    assert statuses == [200, 200, 401]
    with pytest.raises(ValueError, match="change must be user or admin"):
        Usernames(change="nobody")  # type: ignore[arg-type]  # on purpose


async def test_a_registration_that_waits_for_its_mail_gets_its_name_then() -> None:
    async with naming(enumeration="hide") as app:
        await register(app)
        early = await log_in(app, "ada")
        await app.verify((await app.mail("register")).token)
        taken = await register(app, "ADA", EVE)
        known = await register(app, "Another")
        new = await register(app, "Another", EVE)
        done = await log_in(app, "ada")

    assert (early.status, done.status) == (401, 200)
    assert (taken.status, taken.json["errors"]) == (422, TAKEN)
    assert (known.status, known.json.keys()) == (new.status, new.json.keys())
    assert known.status == 202


async def test_a_reset_of_an_account_that_was_never_verified_keeps_the_name() -> None:
    async with naming() as app:
        await register(app)
        asked = await app.client.post("/auth/forgot-password", {"username": "ada"})
        body = {"token": (await app.mail("reset_password")).token, "new_password": NEW_PASSWORD}
        assert asked.status == 202
        await app.client.post("/auth/reset-password", body)

        assert (await log_in(app, "ada", NEW_PASSWORD)).status == 200


async def test_a_deleted_user_frees_the_name() -> None:
    async with naming() as app:
        user_id = (await register(app)).json["user"]["id"]
        await app.auth.users.delete(user_id)

        assert await app.auth[Usernames].find("ada") is None
        assert (await register(app, "ada", EVE)).status == 201


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_of_many_who_want_a_name_at_once_one_gets_it(driver: str, fresh: Callable[[str], str]) -> None:
    url = fresh(driver)
    async with naming(url) as app, naming(url) as other:
        emails = [f"user{number}@example.com" for number in range(8)]
        for email in emails:
            await register(app, None, email)
        headers = [await app.headers(email=email) for email in emails]
        answers = await asyncio.gather(
            *(rename((app, other)[number % 2], "Wanted", headers[number]) for number in range(8)),
            *(register((app, other)[number % 2], "WANTED", f"new{number}@example.com") for number in range(8)),
        )
        holders = [user for user in await app.auth.storage.users(limit=50) if user.data.get("username")]

    assert sorted({answer.status for answer in answers} - {200, 201}) == [422]
    assert [answer.status in {200, 201} for answer in answers].count(True) == 1
    assert len(holders) == 1


async def test_a_name_that_an_administrator_changes_is_told_about_its_user() -> None:
    seen = list[Event]()
    features = [*cheap(mail=True), Totp(), Admin(), Usernames()]
    async with administered(features=features) as world:
        world.auth.on("username_change", seen.append)
        for _ in range(2):
            answer = await world.call("helper", "PATCH", "/users/{user}", username="Countess")
            assert (answer.status, answer.json["data"]) == (200, {"username": "Countess"})
        other = await world.call("helper", "PATCH", "/users/{reader}", username="countess")
        above = await world.call("helper", "PATCH", "/users/{owner}", username="boss")
        notice = await world.outbox.next("username_changed")

    assert (other.status, above.status) == (422, 403)
    assert [(event.user_id, event.actor) for event in seen] == [(world.users["user"].id, world.users["helper"].id)]
    assert notice.to == "user@example.com"
