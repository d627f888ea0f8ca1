"""Asking again for a mail: what waits is sent again, and what was sent goes on working where nothing is sent."""

import asyncio
from typing import Any

import pytest

from asgi_auth import MagicLink
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.features.defaults import defaults
from asgi_auth.model.records import Client as Caller
from asgi_auth.model.records import OneTimeToken
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.support import EMAIL, PASSWORD

FEATURES = [*defaults(mail=True), MagicLink()]


async def again(app: Flows, **body: str) -> str:
    answer = await app.client.post("/auth/resend-verification", {"email": EMAIL, **body})
    assert answer.status == 202
    return str(answer.json["request"])


async def test_a_registration_is_mailed_again_and_finished_by_the_new_code() -> None:
    async with flows(enumeration="hide") as app:
        first = (await app.register()).json["request"]
        await app.mail("register")
        app.clock.move(120)

        second = await again(app, request=first)
        mail = await app.mail("register", EMAIL)
        app.clock.move(120)
        third = await again(app, request=second)
        last = await app.mail("register", EMAIL)

        body = {"request": third, "code": last.code}
        assert (await app.client.post("/auth/verify-email", body)).status == 204
        assert (await app.login()).status == 200
        assert (await app.client.post("/auth/verify-email", {"request": second, "code": mail.code})).status == 400


async def test_a_registration_that_somebody_else_asks_for_again_wants_its_password() -> None:
    async with flows(enumeration="hide") as app:
        await app.register()
        await app.mail("register")

        request = await again(app)
        code = {"request": request, "code": (await app.mail("register")).code}

        assert (await app.client.post("/auth/verify-email", code)).json["code"] == "password_needed"
        wrong = await app.client.post("/auth/verify-email", {**code, "password": NEW_PASSWORD})
        assert wrong.json["code"] == "invalid_credentials"
        assert (await app.client.post("/auth/verify-email", {**code, "password": PASSWORD})).status == 204


async def test_a_known_address_is_not_registered_again_by_asking() -> None:
    async with flows(enumeration="hide") as app:
        await app.register()
        await app.verify((await app.mail("register")).token)
        app.clock.move(2)
        first = (await app.register(password=NEW_PASSWORD)).json["request"]
        await app.mail("already_registered")

        second = await again(app, request=first)

        assert second not in {"", first}
        await app.no_more_mail()


@pytest.mark.parametrize("known", [True, False])
async def test_where_nothing_is_sent_the_earlier_request_goes_on(known: bool) -> None:  # noqa: FBT001 (pytest gives it)
    async with flows(features=FEATURES) as app:
        if known:
            await app.verified()
        for path in ("/auth/forgot-password", "/auth/magic-link", "/auth/request-unlock"):
            first = (await app.client.post(path, {"email": EMAIL})).json["request"]
            same = (await app.client.post(path, {"email": EMAIL, "request": first})).json["request"]
            other = (await app.client.post(path, {"email": EMAIL, "request": "made up"})).json["request"]
            app.clock.move(61)
            later = (await app.client.post(path, {"email": EMAIL, "request": first})).json["request"]

            assert same == first
            assert "made up" != other != first
            assert later != first


async def test_the_code_of_the_first_mail_goes_on_with_the_first_request() -> None:
    async with flows() as app:
        await app.verified()
        first = (await app.client.post("/auth/forgot-password", {"email": EMAIL})).json["request"]
        code = (await app.mail("reset_password")).code

        request = (await app.client.post("/auth/forgot-password", {"email": EMAIL, "request": first})).json["request"]

        body = {"request": request, "code": code, "new_password": NEW_PASSWORD}
        assert (await app.client.post("/auth/reset-password", body)).status == 204


async def test_a_stranger_delays_a_mail_but_never_for_an_hour() -> None:
    async with flows(features=FEATURES) as app:
        await app.verified()
        for _ in range(5):
            await app.client.post("/auth/forgot-password", {"email": EMAIL})
            app.clock.move(61)
        await app.auth.mail.idle()
        app.outbox.mails.clear()

        await app.client.post("/auth/forgot-password", {"email": EMAIL})
        await app.no_more_mail()
        other: dict[str, Any] = {"client": ("203.0.113.9", 1)}
        await app.client.post("/auth/forgot-password", {"email": EMAIL}, scope=other)
        await app.mail("reset_password")
        app.clock.move(901)
        await app.client.post("/auth/forgot-password", {"email": EMAIL})

        await app.mail("reset_password")


async def test_purging_forgets_no_mail_of_the_last_hour() -> None:
    async with flows(features=FEATURES) as app:
        await app.verified()
        for _ in range(58):
            await app.client.post("/auth/magic-link", {"email": EMAIL}, scope={"client": None})
            app.clock.move(61)
            await app.auth.storage.purge(int(app.auth.now()), 1000)
        await app.auth.mail.idle()

        # Five at once, then one whenever the last one is no good any more, after ten minutes.
        assert [mail.purpose for mail in app.outbox.mails].count("magic_link") == 10


async def test_a_mail_to_the_old_address_is_no_good_after_a_change() -> None:
    async with flows(features=FEATURES) as app:
        await app.verified()
        tokens = await mailed_while_the_address_changes(app)

        reset = {"token": tokens["reset_password"], "new_password": NEW_PASSWORD}
        answers = [
            await app.client.post("/auth/reset-password", reset),
            await app.client.post("/auth/magic-link/login", {"token": tokens["magic_link"]}),
            await app.client.post("/auth/unlock", {"token": tokens["unlock"]}),
        ]

        assert [answer.status for answer in answers] == [400, 400, 400]
        assert (await app.login(email="grace@example.org")).status == 200


async def mailed_while_the_address_changes(app: Flows) -> dict[str, str]:
    """Ask for mails that are stored only when the address has just been changed."""
    body = {"new_email": "grace@example.org", "password": PASSWORD}
    request = (await app.client.post("/auth/change-email", body, headers=await app.headers())).json["request"]
    code = (await app.mail("change_email")).code
    store, changed = app.auth.one_time._store, asyncio.Event()

    async def late(token: OneTimeToken, purpose: Purpose, client: Caller) -> bool:
        await changed.wait()
        return await store(token, purpose, client)

    app.auth.one_time._store = late  # type: ignore[method-assign]  # a slow network
    paths = {"reset_password": "/auth/forgot-password", "magic_link": "/auth/magic-link"}
    paths["unlock"] = "/auth/request-unlock"
    asks = asyncio.gather(*(app.client.post(path, {"email": EMAIL}) for path in paths.values()))
    await asyncio.sleep(0.05)
    assert (await app.client.post("/auth/confirm-email-change", {"request": request, "code": code})).status == 204
    changed.set()
    await asks
    return {purpose: (await app.mail(purpose, EMAIL)).token for purpose in paths}
