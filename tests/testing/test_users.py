"""Users, logins, codes and time of the kit, over the real endpoints."""

import asyncio
from typing import Any

import pytest

from asgi_auth import Auth, AuthMiddleware, Field, Passwords, SecondFactors, Sessions, Totp
from asgi_auth.errors import SecondFactorRequiredError, TokenExpiredError, UserExistsError, UserNotFoundError
from asgi_auth.features.account import Account
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.testing import (
    Clock,
    Outbox,
    cheap_auth,
    login_cookies,
    login_headers,
    make_user,
    totp_code,
)
from asgi_auth.testing.cheap import end
from tests.support import Client, who

PASSWORD = "correct horse battery"


def client(auth: Auth, headers: dict[str, str]) -> Client:
    return Client(AuthMiddleware(who, auth, mount="/auth"), headers)


async def test_a_user_has_what_is_asked_for_and_can_log_in() -> None:
    async with cheap_auth(fields=[Field("team", str)]) as auth:
        user = await make_user(auth, "ada@example.com", password=PASSWORD, roles="admin", verified=False, team="red")

        assert (user.email, user.roles, user.email_verified, user.data) == (
            "ada@example.com", ("admin",), False, {"team": "red"},
        )  # fmt: skip
        pair = await auth[Passwords].login(email="ada@example.com", password=PASSWORD)
        assert (await auth.authenticate(pair.access_token)).id == user.id
        others = [await make_user(auth) for _ in range(2)]
        assert len({user.id, *(other.id for other in others)}) == 3
        assert others[0].email_verified
        with pytest.raises(UserExistsError):
            await make_user(auth, "ada@example.com")


async def test_a_user_without_a_required_field_is_an_error_that_names_it() -> None:
    fields = [Field("team", required=True), Field("nick"), Field("level", int, required=True, write="admin", default=1)]
    async with cheap_auth(fields=fields) as auth:
        with pytest.raises(TypeError, match=r"needs values for the required fields: team$"):
            await make_user(auth, nick="ada")
        assert (await make_user(auth, team="red")).data == {"team": "red", "nick": None, "level": 1}


async def test_a_login_is_a_session_that_is_listed_refreshed_and_ended() -> None:
    async with cheap_auth(claims=lambda user: {"tenant": user.email}) as auth:
        user = await make_user(auth, "ada@example.com")
        headers, cookies = await login_headers(auth, user, mfa=True), await login_cookies(auth, user.id)
        bearer = client(auth, headers)

        listed = (await bearer.get("/auth/sessions")).json["sessions"]
        identity = await auth.authenticate(headers["Authorization"].removeprefix("Bearer "))

        assert len(listed) == 2
        assert identity.claims["tenant"] == "ada@example.com"
        assert identity.require(second_factor=True).amr == ("pwd", "otp", "mfa")
        browser = Client(bearer.app, {"origin": auth.settings.origin or ""}, dict(cookies), keep_cookies=True)
        assert (await browser.get("/")).json["id"] == user.id
        assert (await browser.post("/auth/refresh")).status == 200
        assert (await browser.post("/auth/logout")).status == 204
        assert (await bearer.post("/auth/logout-all")).json == {"ended": 1}
        assert (await bearer.get("/")).json["error"] == "token_revoked"


async def test_no_one_who_cannot_log_in_is_logged_in() -> None:
    async with cheap_auth() as auth:
        user = await make_user(auth)
        await auth.users.set_status(user.id, "disabled")

        with pytest.raises(RuntimeError, match="is disabled"):
            await login_headers(auth, user)
        with pytest.raises(UserNotFoundError):
            await login_headers(auth, "01900000-0000-7000-8000-000000000000")


async def test_the_clock_moves_tokens_sessions_and_codes_alike() -> None:
    clock, outbox = Clock(), Outbox()
    async with cheap_auth(now=clock, mailer=outbox) as auth:
        user = await make_user(auth, "ada@example.com")
        headers = await login_headers(auth, user)
        token = headers["Authorization"].removeprefix("Bearer ")
        asked = await client(auth, {}).post("/auth/forgot-password", {"email": user.email})
        assert asked.status == 202
        code = outbox.code("ada@example.com")

        clock.move(minutes=16)
        with pytest.raises(TokenExpiredError):
            await auth.authenticate(token)
        clock.move(days=31)
        body = {"request": asked.json["request"], "code": code, "new_password": PASSWORD}
        late = await client(auth, {}).post("/auth/reset-password", body)

        assert (late.status, late.json["code"]) == (400, "invalid_reset_token")
        assert clock() == pytest.approx(Clock().at + 960 + 31 * 86400, abs=60)
        assert repr(Clock(7)) == "<Clock at 7.000>"


async def test_a_code_of_an_authenticator_app_logs_in_once() -> None:
    clock = Clock()
    features = [Passwords(), Sessions(), Account(), SecondFactors(), Totp()]
    async with cheap_auth(features=features, now=clock) as auth:
        user = await make_user(auth, "ada@example.com", password=PASSWORD)
        owner = client(auth, await login_headers(auth, user))
        setup = (await owner.post("/auth/totp/setup", {})).json
        body = {"request": setup["request"], "code": totp_code(setup["secret"], clock)}
        assert (await owner.post("/auth/totp", body)).status == 200
        with pytest.raises(SecondFactorRequiredError) as refused:
            await auth[Passwords].login(email=user.email, password=PASSWORD)

        answers = []
        for at in (clock(), clock() + 30):
            code = totp_code(setup["secret"], at)
            answers.append(
                await client(auth, {}).post("/auth/login/totp", {"pending": refused.value.pending, "code": code})
            )

        assert [answer.status for answer in answers] == [401, 200]
        assert totp_code("JBSW Y3DP ehpk 3pxp", 0) == totp_code("JBSWY3DPEHPK3PXP", 29)


async def test_the_cheapest_hashes_also_for_a_feature_of_the_caller(tmp_path: Any) -> None:
    async with cheap_auth(f"sqlite:///{tmp_path}/auth.db", features=[Passwords(), Sessions()]) as auth:
        await make_user(auth, "ada@example.com", password=PASSWORD)
        found = await auth.storage.user_with_credential("ada@example.com", "password")

        assert found is not None
        assert found[1] is not None
        assert "m=8,t=1,p=1" in found[1].secret
        assert isinstance(auth.storage, SQLite)


def test_an_auth_of_a_fixture_is_closed_also_where_an_event_loop_runs() -> None:
    auth = cheap_auth()
    asyncio.run(make_user(auth))

    async def playwright() -> None:
        end(auth)

    asyncio.run(playwright())

    assert asyncio.run(auth.users.count()) == 0


def test_settings_are_those_of_the_caller_and_quiet_otherwise() -> None:
    made = cheap_auth(development=True, after_answer=True)
    copied = cheap_auth(settings=made.settings, name="Mine")

    assert (made.settings.base_url, made.settings.after_answer, made.settings.purge_interval) == (None, True, 0)
    assert (copied.settings.name, copied.settings.after_answer, copied.settings.secret) == (
        "Mine", False, made.settings.secret,
    )  # fmt: skip
    assert cheap_auth().settings.base_url == "https://app.example.com"
    assert cheap_auth().settings.secret != cheap_auth().settings.secret
