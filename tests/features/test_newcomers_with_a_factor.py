"""Newcomers who must have a second factor: they register, verify the address, set the factor up, and are in."""

import base64
from typing import Any

import pytest

from asgi_auth import Pages, Passwords, SecondFactors, Totp
from asgi_auth.features.totp.codes import code_at
from tests.features.flows import Flows, flows
from tests.support import EMAIL, PASSWORD, cheap

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html", "sec-fetch-site": "same-origin"}


def strict(*, mail: bool = True) -> dict[str, Any]:
    features = [*cheap(mail=mail), SecondFactors(required=True), Totp(), Pages()]
    for feature in features:
        if isinstance(feature, Passwords):
            feature.login_after_register = True
    return {"features": features, "enumeration": "tell"}


async def set_up(app: Flows, pending: str) -> int:
    """Set up an app with a pending login; return the status of the answer, which has tokens."""
    setup = (await app.client.post("/auth/totp/setup", {"pending": pending})).json
    code = code_at(base64.b32decode(setup["secret"]), int(app.clock() // 30))
    done = await app.client.post("/auth/totp", {"pending": pending, "request": setup["request"], "code": code})
    assert "access_token" in done.json
    return done.status


async def log_in(app: Flows) -> str:
    refused = await app.client.post("/auth/login", ACCOUNT)
    assert (refused.status, refused.json["code"]) == (403, "second_factor_setup_required")
    pending: str = refused.json["pending"]
    return pending


async def test_the_registration_names_the_request_of_the_mail() -> None:
    async with flows(**strict()) as app:
        registered = await app.client.post("/auth/register", ACCOUNT)
        assert (registered.status, registered.json.get("tokens")) == (201, None)
        early = await app.client.post("/auth/totp/setup", {"pending": await log_in(app)})
        assert (early.status, early.json["code"]) == (403, "email_not_verified")

        code = (await app.mail("verify_email")).code
        request = registered.json["verification"]["request"]
        verified = await app.client.post("/auth/verify-email", {"request": request, "code": code})

        assert verified.status == 204
        assert await set_up(app, await log_in(app)) == 200


async def test_without_mail_the_registration_is_followed_by_the_setup() -> None:
    async with flows(**strict(mail=False)) as app:
        refused = await app.client.post("/auth/register", ACCOUNT)

        assert (refused.status, refused.json["code"]) == (403, "second_factor_setup_required")
        assert await set_up(app, refused.json["pending"]) == 200


@pytest.mark.parametrize("mail", [True, False])
async def test_the_pages_lead_on(mail: bool) -> None:  # noqa: FBT001 (pytest gives arguments by name)
    async with flows(**strict(mail=mail)) as app:
        sent = f"email={EMAIL.replace('@', '%40')}&password={PASSWORD.replace(' ', '+')}".encode()

        answer = await app.client.post("/auth/register", body=sent, headers=FORM)

        if mail:
            assert answer.status == 303
            assert "verify-email?request=" in str(answer.header("location"))
        else:
            assert 'action="./totp/setup"' in answer.body.decode()
