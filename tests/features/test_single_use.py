"""Mailed tokens and codes under concurrent use, on real databases: exactly one of 32 succeeds."""

import asyncio
from collections.abc import Callable

import pytest

from asgi_auth import Argon2, MagicLink, Passwords
from asgi_auth.features.defaults import defaults
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD

CALLERS = 32
FLOWS = {
    "verify_email": ("/auth/resend-verification", "/auth/verify-email", {"password": PASSWORD}),
    "reset_password": ("/auth/forgot-password", "/auth/reset-password", {"new_password": NEW_PASSWORD}),
    "unlock": ("/auth/request-unlock", "/auth/unlock", {}),
    "magic_link": ("/auth/magic-link", "/auth/magic-link/login", {}),
}


async def used(app: Flows, path: str, body: dict[str, str]) -> list[int]:
    answers = await asyncio.gather(*(app.client.post(path, body) for _ in range(CALLERS)))
    return sorted(answer.status for answer in answers)


@pytest.mark.parametrize("by", ["token", "code"])
@pytest.mark.parametrize("purpose", FLOWS)
@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_of_many_concurrent_uses_exactly_one_succeeds(
    driver: str, purpose: str, by: str, fresh: Callable[[str], str]
) -> None:
    asking, using, more = FLOWS[purpose]
    others = [feature for feature in defaults(mail=True) if not isinstance(feature, Passwords)]
    # The cheapest hash: with the real cost, 32 hashes take longer than a request may on a busy machine.
    features = [Passwords(argon2=Argon2.cheap()), *others, MagicLink()]
    async with flows(fresh(driver), features=features) as app:
        await app.register()
        await app.mail("verify_email")
        app.clock.move(61)
        request = (await app.client.post(asking, {"email": EMAIL})).json["request"]
        mail = await app.mail(purpose)
        body = {"token": mail.token} if by == "token" else {"request": request, "code": mail.code}

        first, *rest = await used(app, using, {**body, **more})

        assert first in {200, 204}
        assert rest == [400] * (CALLERS - 1)


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_of_many_concurrent_confirmations_one_makes_the_account(driver: str, fresh: Callable[[str], str]) -> None:
    async with flows(fresh(driver), enumeration="hide") as app:
        await app.register()
        mail = await app.mail("register")

        assert await used(app, "/auth/verify-email", {"token": mail.token, "password": PASSWORD}) == [204] + [400] * (
            CALLERS - 1
        )
        assert (await app.login()).status == 200


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_resets_and_changes_of_a_password_at_once_lock_no_one_out(
    driver: str, fresh: Callable[[str], str]
) -> None:
    async with flows(fresh(driver)) as app:
        await app.verified()
        headers = await app.headers()
        await app.client.post("/auth/forgot-password", {"email": EMAIL})
        token = (await app.mail("reset_password")).token
        reset = {"token": token, "new_password": NEW_PASSWORD}
        change = {"current_password": PASSWORD, "new_password": "the third of them"}

        calls = [
            app.client.post("/auth/reset-password", reset)
            if number % 2
            else app.client.post("/auth/change-password", change, headers=headers)
            for number in range(16)
        ]
        answers = await asyncio.gather(*calls)

        assert [answer.status for answer in answers].count(204) >= 1
        assert {answer.status for answer in answers} <= {204, 400, 401}
        logins = [(await app.login(password)).status for password in (PASSWORD, NEW_PASSWORD, "the third of them")]
        assert sorted(logins) == [200, 401, 401]
