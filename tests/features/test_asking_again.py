"""Asking again for a mail: what waits is sent again, and what was sent goes on working where nothing is sent."""

import asyncio
from typing import Any

import pytest

from asgi_auth import MagicLink
from asgi_auth.accounts.one_time_tokens import Voids
from asgi_auth.feature import Feature
from asgi_auth.features.defaults import defaults
from asgi_auth.model.records import OneTimeToken
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.support import EMAIL, PASSWORD


def every_feature() -> list[Feature]:
    return [*defaults(mail=True), MagicLink()]


STRANGER: dict[str, Any] = {"client": ("203.0.113.9", 1)}


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
        assert first == second == third
        assert (await app.login()).status == 200
        assert (await app.client.post("/auth/verify-email", {"request": second, "code": mail.code})).status == 400


async def test_a_registration_that_another_client_asks_for_again_wants_its_password() -> None:
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

        assert await again(app, request=first) == first
        await app.no_more_mail()


@pytest.mark.parametrize("known", [True, False])
async def test_a_request_goes_on_whether_a_mail_is_sent_or_not(known: bool) -> None:  # noqa: FBT001 (pytest gives it)
    async with flows(features=every_feature()) as app:
        if known:
            await app.verified()
        for path in ("/auth/forgot-password", "/auth/magic-link", "/auth/request-unlock"):
            first = await asked(app, path)
            others = [await asked(app, path, request=text) for text in ("made up", first[:-1], first + "A", "A" * 44)]
            elsewhere = await asked(app, path, "eve@example.com", request=first)
            again = [await asked(app, path, request=first)]
            app.clock.move(61)
            again.append(await asked(app, path, request=first))
            app.clock.move(90_000)
            again.append(await asked(app, path, request=first))

            assert again == [first] * 3
            assert len({first, elsewhere, *others, "made up"}) == 7


async def asked(app: Flows, path: str, email: str = EMAIL, **body: str) -> str:
    answer = await app.client.post(path, {"email": email, **body})
    assert answer.status == 202
    return str(answer.json["request"])


async def test_a_request_of_one_flow_is_none_of_another() -> None:
    async with flows(features=every_feature()) as app:
        reset = await asked(app, "/auth/forgot-password")

        assert await asked(app, "/auth/magic-link", request=reset) != reset


async def test_a_mail_of_the_same_client_voids_the_one_before() -> None:
    async with flows(features=every_feature()) as app:
        await app.verified()
        requests, mails = [], []
        for _ in range(2):
            app.clock.move(61)
            requests.append(await asked(app, "/auth/forgot-password"))
            mails.append(await app.mail("reset_password"))

        assert await reset(app, token=mails[0].token) == 400
        assert await reset(app, request=requests[0], code=mails[0].code) == 400
        assert await reset(app, token=mails[1].token) == 204


async def test_a_mail_that_a_stranger_asks_for_voids_nothing() -> None:
    async with flows(features=every_feature()) as app:
        await app.verified()
        request = await asked(app, "/auth/forgot-password")
        mine = await app.mail("reset_password")
        await app.client.post("/auth/forgot-password", {"email": EMAIL}, scope=STRANGER)
        await app.mail("reset_password")

        assert await reset(app, request=request, code=mine.code) == 204


async def test_clients_without_an_address_void_only_what_they_name() -> None:
    async with flows(features=every_feature()) as app:
        await app.verified()
        nowhere: dict[str, Any] = {"client": None}
        first = (await app.client.post("/auth/magic-link", {"email": EMAIL}, scope=nowhere)).json["request"]
        mail = await app.mail("magic_link")
        app.clock.move(61)
        await app.client.post("/auth/magic-link", {"email": EMAIL}, scope=nowhere)
        await app.mail("magic_link")

        body = {"request": first, "code": mail.code}
        assert (await app.client.post("/auth/magic-link/login", body)).status == 200


async def test_five_wrong_codes_leave_the_link_alone_and_the_right_code_is_dead() -> None:
    async with flows(features=every_feature()) as app:
        await app.verified()
        request = await asked(app, "/auth/forgot-password")
        mail = await app.mail("reset_password")

        wrong = [await reset(app, request=request, code=f"0000000{number}") for number in range(5)]

        assert wrong == [400] * 5
        assert await reset(app, request=request, code=mail.code) == 400
        assert await reset(app, token=mail.token) == 204


async def reset(app: Flows, **proof: str) -> int:
    return (await app.client.post("/auth/reset-password", {**proof, "new_password": NEW_PASSWORD})).status


async def test_the_code_of_the_first_mail_goes_on_with_the_first_request() -> None:
    async with flows() as app:
        await app.verified()
        first = (await app.client.post("/auth/forgot-password", {"email": EMAIL})).json["request"]
        code = (await app.mail("reset_password")).code

        request = (await app.client.post("/auth/forgot-password", {"email": EMAIL, "request": first})).json["request"]

        body = {"request": request, "code": code, "new_password": NEW_PASSWORD}
        assert (await app.client.post("/auth/reset-password", body)).status == 204


async def test_a_mail_to_the_old_address_is_no_good_after_a_change() -> None:
    async with flows(features=every_feature()) as app:
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

    async def late(token: OneTimeToken, voids: Voids, user_id: str) -> bool:
        await changed.wait()
        return await store(token, voids, user_id)

    app.auth.one_time._store = late  # type: ignore[method-assign]  # a slow network
    paths = {"reset_password": "/auth/forgot-password", "magic_link": "/auth/magic-link"}
    paths["unlock"] = "/auth/request-unlock"
    asks = asyncio.gather(*(app.client.post(path, {"email": EMAIL}) for path in paths.values()))
    await asyncio.sleep(0.05)
    assert (await app.client.post("/auth/confirm-email-change", {"request": request, "code": code})).status == 204
    changed.set()
    await asks
    return {purpose: (await app.mail(purpose, EMAIL)).token for purpose in paths}
