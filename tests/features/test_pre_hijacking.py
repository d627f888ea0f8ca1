"""Strangers who register with the address of others gain nothing by what its owner does (pre-hijacking)."""

import asyncio
from typing import Any

import pytest

from asgi_auth import MagicLink
from asgi_auth.feature import Feature
from asgi_auth.features.defaults import defaults
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.support import EMAIL, PASSWORD, Answer, bearer

STRANGERS = "evil mastermind staple"


def with_magic_link() -> list[Feature]:
    return [*defaults(mail=True), MagicLink()]


async def hijacked(app: Flows) -> str:
    """A stranger's account with the owner's address, an open session, and a change of address under way; its token."""
    await app.register(password=STRANGERS)
    body = {"new_email": "evil@example.org", "password": STRANGERS}
    await app.client.post("/auth/change-email", body, headers=await app.headers(STRANGERS))
    return (await app.mail("change_email")).token


async def move(app: Flows, token: str) -> Answer:
    return await app.client.post("/auth/confirm-email-change", {"token": token, "password": STRANGERS})


async def test_the_first_login_by_mail_takes_an_unverified_account_from_who_made_it() -> None:
    async with flows(features=with_magic_link()) as app:
        change = await hijacked(app)
        strangers = await app.headers(STRANGERS)
        await app.client.post("/auth/magic-link", {"email": EMAIL})
        won = await app.client.post("/auth/magic-link/login", {"token": (await app.mail("magic_link")).token})

        assert won.status == 200
        assert (await app.login(STRANGERS)).status == 401
        assert (await app.client.get("/auth/me", headers=strangers)).status == 401
        assert (await move(app, change)).json["code"] == "invalid_one_time_token"
        mine = bearer(won.json["access_token"])
        assert (await app.client.get("/auth/me", headers=mine)).json["email"] == EMAIL
        credential = await app.auth.storage.credential((await app.auth.users.by_email(EMAIL)).id, "password")
        assert credential is not None
        assert credential.secret == ""

        await app.client.post("/auth/forgot-password", {"email": EMAIL})
        body = {"token": (await app.mail("reset_password")).token, "new_password": NEW_PASSWORD}
        assert (await app.client.post("/auth/reset-password", body)).status == 204
        assert (await app.login(NEW_PASSWORD)).status == 200


async def test_a_login_by_mail_leaves_the_password_of_a_verified_account_alone() -> None:
    async with flows(features=with_magic_link()) as app:
        await app.verified()
        await app.client.post("/auth/magic-link", {"email": EMAIL})
        await app.client.post("/auth/magic-link/login", {"token": (await app.mail("magic_link")).token})

        assert (await app.login()).status == 200


@pytest.mark.parametrize("password", [{}, {"password": PASSWORD}])
async def test_the_link_alone_verifies_no_strangers_account(password: dict[str, str]) -> None:
    async with flows() as app:
        await hijacked(app)
        token = (await app.mail("verify_email")).token

        answer = await app.client.post("/auth/verify-email", {"token": token, **password})

        assert answer.status == 401
        assert answer.json["code"] == ("invalid_credentials" if password else "password_needed")
        assert (await app.auth.users.by_email(EMAIL)).email_verified is False


async def test_another_users_session_does_not_stand_for_the_password() -> None:
    async with flows() as app:
        await app.register(password=STRANGERS)
        token = (await app.mail("verify_email")).token
        await app.verified("eve@example.com")

        answer = await app.client.post(
            "/auth/verify-email", {"token": token}, headers=await app.headers(email="eve@example.com")
        )

        assert answer.json["code"] == "password_needed"


async def test_verification_voids_all_that_was_mailed_before() -> None:
    async with flows() as app:
        change = await hijacked(app)

        assert (await app.verify((await app.mail("verify_email")).token, STRANGERS)).status == 204

        assert (await move(app, change)).json["code"] == "invalid_one_time_token"


async def test_nothing_is_used_up_until_the_password_is_there_and_five_wrong_ones_are_enough() -> None:
    async with flows() as app:
        await app.register()
        token = (await app.mail("verify_email")).token

        codes = [(await app.client.post("/auth/verify-email", {"token": token})).json["code"] for _ in range(7)]
        guesses = await asyncio.gather(*(app.verify(token, f"guess number {number}") for number in range(8)))

        assert set(codes) == {"password_needed"}
        assert sorted(answer.status for answer in guesses) == [400] * 3 + [401] * 5
        assert (await app.verify(token)).status == 400
        assert (
            await app.client.post("/auth/verify-email", {"token": token}, headers=await app.headers())
        ).status == 204


@pytest.mark.parametrize("by", ["link", "code"])
async def test_the_owners_click_makes_no_account_with_a_strangers_password(by: str) -> None:
    async with flows(enumeration="hide") as app:
        await app.register(password=STRANGERS)
        strangers = await app.mail("register")
        app.clock.move(2)
        asked = await app.register()
        owners = await app.mail("register")

        for password in ({}, {"password": PASSWORD}):
            assert (await app.client.post("/auth/verify-email", {"token": strangers.token, **password})).status == 401
        code = {"request": asked.json["request"], "code": owners.code}
        done = await (app.verify(owners.token) if by == "link" else app.client.post("/auth/verify-email", code))

        assert done.status == 204
        assert (await app.login()).status == 200
        assert (await app.login(STRANGERS)).status == 401
        assert (await app.verify(strangers.token, STRANGERS)).status == 400


async def test_a_strangers_registrations_do_not_crowd_out_the_owners() -> None:
    async with flows(enumeration="hide") as app:
        for _ in range(9):
            await app.client.post(
                "/auth/register", {"email": EMAIL, "password": STRANGERS}, scope={"client": ("203.0.113.9", 1)}
            )
            app.clock.move(2)
        await app.auth.mail.idle()
        assert len(app.outbox.mails) == 5
        app.outbox.mails.clear()

        asked = await app.register()

        body = {"request": asked.json["request"], "code": (await app.mail("register")).code}
        assert (await app.client.post("/auth/verify-email", body)).status == 204
        assert (await app.login()).status == 200


async def test_an_address_is_not_flooded_from_many_networks() -> None:
    async with flows(enumeration="hide") as app:
        for number in range(60):
            scope: dict[str, Any] = {"client": (f"203.0.113.{number}", 1)}
            await app.client.post("/auth/register", {"email": EMAIL, "password": STRANGERS}, scope=scope)
            app.clock.move(2)
        await app.auth.mail.idle()

        # 20 for the first registrations of networks, and 20 for all others.
        assert len(app.outbox.mails) == 40


async def test_a_reader_of_a_mistyped_new_address_does_not_get_the_account() -> None:
    async with flows() as app:
        await app.verified()
        headers = await app.headers()
        body = {"new_email": "ada@exmaple.com", "password": PASSWORD}
        await app.client.post("/auth/change-email", body, headers=headers)
        token = (await app.mail("change_email")).token

        stranger = await app.client.post("/auth/confirm-email-change", {"token": token})
        guess = await app.client.post("/auth/confirm-email-change", {"token": token, "password": "a guess of theirs"})
        owner = await app.client.post("/auth/confirm-email-change", {"token": token}, headers=headers)

        assert (stranger.status, stranger.json["code"]) == (401, "password_needed")
        assert (guess.status, guess.json["code"]) == (401, "invalid_credentials")
        assert owner.status == 204


async def test_a_code_that_any_client_could_ask_for_wants_the_password_too() -> None:
    async with flows() as app:
        await app.register(password=STRANGERS)
        await app.mail("verify_email")
        app.clock.move(61)
        asked = await app.client.post("/auth/resend-verification", {"email": EMAIL})
        code = {"request": asked.json["request"], "code": (await app.mail("verify_email")).code}

        alone = await app.client.post("/auth/verify-email", code)
        with_password = await app.client.post("/auth/verify-email", {**code, "password": STRANGERS})

        assert alone.json["code"] == "password_needed"
        assert with_password.status == 204


async def test_an_account_sends_no_mails_to_any_number_of_strangers() -> None:
    async with flows() as app:
        await app.verified()
        headers, answers = await app.headers(), []
        for number in range(12):
            body = {"new_email": f"stranger{number}@example.org", "password": PASSWORD}
            answers.append(await app.client.post("/auth/change-email", body, headers=headers))

        assert [answer.status for answer in answers] == [202] * 10 + [429] * 2
        assert answers[-1].header("retry-after") == "3600"
