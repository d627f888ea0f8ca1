"""Every way that leads to a session goes through one gate: who may not come in gets no tokens by any of them."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from asgi_auth import Argon2, MagicLink, Passwords
from asgi_auth.feature import Feature, LoginAttempt
from tests.documentation import every_endpoint
from tests.features.flows import Flows, flows
from tests.support import EMAIL, PASSWORD, Answer, unlimited
from tests.test_architecture import FILES

FORM = {"content-type": "application/x-www-form-urlencoded"}
Way = Callable[[], Awaitable[Answer]]


async def by_password(app: Flows) -> Way:
    return app.login


async def by_the_token_endpoint(app: Flows) -> Way:
    body = urlencode({"grant_type": "password", "username": EMAIL, "password": PASSWORD}).encode()
    return lambda: app.client.post("/auth/token", body=body, headers=FORM)


async def by_a_magic_link(app: Flows) -> Way:
    await app.client.post("/auth/magic-link", {"email": EMAIL})
    token = (await app.mail("magic_link")).token
    return lambda: app.client.post("/auth/magic-link/login", {"token": token})


async def by_refreshing(app: Flows) -> Way:
    body = {"refresh_token": (await app.login()).json["refresh_token"]}
    return lambda: app.client.post("/auth/refresh", body)


async def by_refreshing_as_oauth(app: Flows) -> Way:
    token = (await app.login()).json["refresh_token"]
    body = urlencode({"grant_type": "refresh_token", "refresh_token": token}).encode()
    return lambda: app.client.post("/auth/token", body=body, headers=FORM)


async def by_a_renewed_cookie(app: Flows) -> Way:
    pair = (await app.login()).json
    headers = {"cookie": f"__Host-auth-refresh={pair['refresh_token']}"}

    async def way() -> Answer:
        answer = await app.client.get("/", headers=headers)
        status = 200 if answer.json["id"] else 401
        return Answer(status, answer.headers, b"" if status == 401 else answer.cookies["__Host-auth"].encode())

    return way


async def by_proving_the_password_again(app: Flows) -> Way:
    pair = (await app.login()).json
    headers = {"authorization": f"Bearer {pair['access_token']}"}
    return lambda: app.client.post("/auth/reauthenticate/password", {"password": PASSWORD}, headers=headers)


LOGINS = [by_password, by_the_token_endpoint, by_a_magic_link]
WAYS = [*LOGINS, by_refreshing, by_proving_the_password_again, by_refreshing_as_oauth, by_a_renewed_cookie]


def every_feature() -> list[Feature]:
    return [Passwords(argon2=Argon2.cheap()), *unlimited(mail=True), MagicLink()]


class Gate(Feature):
    """Refuses, wants a second factor, or lets through."""

    wanted = ""

    async def second_factor(self, login: LoginAttempt) -> tuple[str, ...]:  # noqa: ARG002 (a hook)
        return (self.wanted,) if self.wanted else ()


def has_tokens(answer: Answer) -> bool:
    return b"access_token" in answer.body or any(value for value in answer.cookies.values())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("state", ["active", "disabled", "closed", "deleted"])
async def test_only_an_active_user_gets_tokens(way: Callable[[Flows], Awaitable[Way]], state: str) -> None:
    async with flows(features=every_feature()) as app:
        await app.verified()
        user = await app.auth.users.by_email(EMAIL)
        enter = await way(app)
        if state == "deleted":
            await app.auth.users.delete(user.id)
        else:
            status: Any = state
            await app.auth.users.set_status(user.id, status)

        answer = await enter()

        assert (answer.status < 300) == has_tokens(answer) == (state == "active")


@pytest.mark.parametrize("way", [by_password, by_the_token_endpoint])
async def test_an_address_that_is_not_verified_gets_no_tokens_where_that_is_required(
    way: Callable[[Flows], Awaitable[Way]],
) -> None:
    async with flows(features=every_feature(), verification="required", enumeration="tell") as app:
        await app.register()

        answer = await (await way(app))()

        assert "email_not_verified" in answer.body.decode() or answer.json["error"] == "invalid_grant"
        assert not has_tokens(answer)


@pytest.mark.parametrize("way", LOGINS)
async def test_a_wanted_second_factor_stands_before_every_way_in(way: Callable[[Flows], Awaitable[Way]]) -> None:
    gate = Gate()
    async with flows(features=[*every_feature(), gate]) as app:
        await app.verified()
        enter = await way(app)
        gate.wanted = "otp"

        answer = await enter()

        assert answer.status in {400, 401}
        assert not has_tokens(answer)
        assert answer.json["pending"]
        assert await app.auth.storage.sessions((await app.auth.users.by_email(EMAIL)).id, 0, 0) == []


def test_every_endpoint_that_gives_tokens_is_tried_here() -> None:
    giving = {endpoint.name for endpoint in every_endpoint() if endpoint.gives_tokens}

    # The export lists mailed tokens, without their digests.
    # Those of second factors are tried by their own tests: they finish a login that has passed the gate, or go on with
    # a session.
    of_factors = {"totp_login", "totp_turn_on", "recovery_code_login", "reauthenticate", "reauthenticate_by_totp"}
    by_passkey = {"passkey_login", "passkey_sign_up", "add_passkey", "reauthenticate_by_passkey"}
    by_password_or_mail = {"register", "login", "token", "refresh", "magic_link_login", "verify_email"}
    # The tests of impersonation try these: a session of an administrator begins them, and is no login of the user.
    of_administrators = {"impersonate", "stop_impersonating"}
    # Their own tests try these: a provider sends the browser there.
    by_provider = {"oidc_callback", "handoff", "oidc_sign_up"}
    # The tests of ways in and factors try it: it ends a registration in the browser that began it.
    by_code = {"verify_email"}
    expected = by_password_or_mail | of_factors | by_passkey | of_administrators | by_provider | by_code
    assert giving - {"export"} == expected


async def test_a_registration_that_logs_in_goes_through_the_gate() -> None:
    gate = Gate()
    gate.wanted = "otp"
    features = [Passwords(argon2=Argon2.cheap(), login_after_register=True), *unlimited(mail=True), gate]
    async with flows(features=features) as app:
        answer = await app.register()

        assert answer.status == 401
        assert not has_tokens(answer)


def test_sessions_are_made_in_one_place() -> None:
    """The testing kit makes none by itself: its contract asks the storage of a test."""
    files = [file for file in FILES if "testing" not in file.parts]
    calls = [file.name for file in files if re.search(r"\.add_session\(", file.read_text())]

    assert calls == ["service.py"]
