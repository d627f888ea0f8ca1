"""Unlock: a mailed link opens a locked account, and no flood of guesses closes it again for its owner."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from asgi_auth import Argon2, Lockout, PasswordReset, Passwords, RateLimits, Sessions, Unlock
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.support import EMAIL, PASSWORD, Answer

WRONG = "not the right one"
HOME = "198.51.100.1"


@asynccontextmanager
async def locking() -> AsyncIterator[Flows]:
    """An app with both limits, and an account that strangers keep locked."""
    features = [
        Passwords(argon2=Argon2.cheap()),
        Sessions(),
        PasswordReset(),
        RateLimits({"login": "10/m/account, 20/h/account"}),
        Lockout(after=3),
        Unlock(),
    ]
    async with flows(features=features) as app:
        await app.register()
        await attack(app)
        yield app


async def attack(app: Flows) -> None:
    """Many wrong passwords, from many addresses."""
    statuses = [(await login(app, WRONG, f"203.0.113.{number}")).status for number in range(30)]
    assert statuses[-1] == 429


async def login(app: Flows, password: str = PASSWORD, ip: str = HOME) -> Answer:
    return await post(app, "login", ip, email=EMAIL, password=password)


async def post(app: Flows, path: str, ip: str = HOME, **fields: str) -> Answer:
    return await app.client.post(f"/auth/{path}", fields, scope={"client": (ip, 1)})


@pytest.mark.parametrize("by", ["link", "code"])
async def test_a_mail_opens_the_account_for_its_owner_whatever_strangers_do(by: str) -> None:
    async with locking() as app:
        assert (await login(app)).status == 429
        request = (await post(app, "request-unlock", email=EMAIL)).json["request"]
        mail = await app.mail("unlock", EMAIL)
        shown = {"token": mail.token} if by == "link" else {"request": request, "code": mail.code}

        assert (await post(app, "unlock", **shown)).status == 204
        assert (await post(app, "unlock", **shown)).status == 400
        await attack(app)

        assert (await login(app)).status == 200
        assert (await login(app, ip="203.0.113.9")).status == 429


async def test_a_new_password_opens_it_likewise() -> None:
    async with locking() as app:
        await post(app, "forgot-password", email=EMAIL)
        body = {"token": (await app.mail("reset_password")).token, "new_password": NEW_PASSWORD}
        assert (await post(app, "reset-password", **body)).status == 204
        await attack(app)

        assert (await login(app, NEW_PASSWORD)).status == 200


async def test_guesses_from_an_opened_network_are_limited_as_well() -> None:
    async with locking() as app:
        await post(app, "request-unlock", email=EMAIL)
        await post(app, "unlock", token=(await app.mail("unlock")).token)

        assert [(await login(app, WRONG)).status for _ in range(4)] == [401, 401, 401, 429]


async def test_no_address_can_be_made_up_that_counts_for_an_opened_network() -> None:
    async with locking() as app:
        await post(app, "request-unlock", email=EMAIL)
        await post(app, "unlock", token=(await app.mail("unlock")).token)
        for between in (" network ", "\t", "/"):
            for _ in range(4):
                await post(app, "login", "203.0.113.9", email=f"{EMAIL}{between}{HOME}", password=WRONG)

        assert (await login(app)).status == 200


async def test_after_a_day_the_network_is_one_among_all() -> None:
    async with locking() as app:
        await post(app, "request-unlock", email=EMAIL)
        await post(app, "unlock", token=(await app.mail("unlock")).token)
        app.clock.move(86400)
        await attack(app)

        assert (await login(app)).status == 429


async def test_with_time_it_opens_by_itself() -> None:
    async with locking() as app:
        app.clock.move(3600)

        assert (await login(app)).status == 200


async def test_unknown_and_disabled_accounts_get_the_same_answer_and_no_token() -> None:
    async with locking() as app:
        user = await app.auth.users.by_email(EMAIL)
        await app.auth.users.set_status(user.id, "disabled")
        answers = [await post(app, "request-unlock", email=email) for email in (EMAIL, "eve@example.com")]

        assert [(answer.status, answer.json["expires_in"]) for answer in answers] == [(202, 3600)] * 2
        assert (await app.mail("account_is_disabled", EMAIL)).token == ""
        await app.no_more_mail()


async def test_a_link_unlocks_one_account_and_logs_no_one_in() -> None:
    async with locking() as app:
        await app.register("eve@example.com")
        await post(app, "request-unlock", email="eve@example.com")

        answer = await post(app, "unlock", token=(await app.mail("unlock", "eve@example.com")).token)

        assert (answer.status, answer.body) == (204, b"")
        assert (await login(app)).status == 429
