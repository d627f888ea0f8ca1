"""An account without a password does everything else: with a fresh login by its passkey, and by mails."""

import base64
from collections.abc import Awaitable, Callable

import pytest

from asgi_auth import AuthApp, Outbox, Passkeys
from asgi_auth.features.totp.codes import code_at
from asgi_auth.testing.passkey import Passkey
from asgi_auth.validation.fields import Secret
from tests.documentation import every_feature
from tests.passkeys.owner import Owner, an_owner, bearer_of, set_password
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer, Client, Clock, bearer, cheap, make_auth

NEW = "bob@example.com"


async def register(owner: Owner) -> Answer:
    return await owner.post("/register", email=EMAIL, password=PASSWORD)


async def login(owner: Owner) -> Answer:
    return await owner.post("/login", email=EMAIL, password=PASSWORD)


async def reauthenticate(owner: Owner) -> Answer:
    assert (await owner.post("/reauthenticate/password", password=PASSWORD)).json["code"] == "invalid_credentials"
    options = (await owner.post("/reauthenticate/passkey/options")).json["options"]
    return await owner.post("/reauthenticate/passkey", credential=owner.device.get(options))


async def change_password(owner: Owner) -> Answer:
    return await owner.post("/change-password", current_password=PASSWORD, new_password="copper meadow umbrella")


async def close_account(owner: Owner) -> Answer:
    return await owner.post("/close-account")


async def verify_email(owner: Owner) -> Answer:
    """The link of a mail wants a session, or a password that a user without one cannot have."""
    user = await owner.auth.users.by_email(EMAIL)
    await owner.auth.users.set_verified(user.id, verified=False)
    await owner.post("/resend-verification")
    token = (await owner.mail("verify_email")).token
    stranger = Client(AuthApp(owner.auth))
    assert (await stranger.post("/verify-email", {"token": token})).json["code"] == "password_needed"
    assert (await stranger.post("/verify-email", {"token": token, "password": PASSWORD})).status == 401
    return await owner.post("/verify-email", token=token)


async def reset_password(owner: Owner) -> Answer:
    await owner.post("/forgot-password", email=EMAIL)
    token = (await owner.mail("reset_password")).token
    return await owner.post("/reset-password", token=token, new_password=PASSWORD)


async def change_email(owner: Owner) -> Answer:
    return await owner.post("/change-email", new_email=NEW)


async def confirm_email_change(owner: Owner) -> Answer:
    await change_email(owner)
    return await owner.post("/confirm-email-change", token=(await owner.mail("change_email")).token)


async def accept_invitation(owner: Owner) -> Answer:
    return await owner.post("/accept-invitation", token="x", new_password=PASSWORD)


#: All endpoints that take a password: what becomes of a call by a user without one, after a fresh login.
OUTCOMES: dict[str, tuple[Callable[[Owner], Awaitable[Answer]], int]] = {
    "register": (register, 202),
    "login": (login, 401),
    "reauthenticate": (reauthenticate, 200),
    "change_password": (change_password, 401),
    "set_password": (set_password, 204),
    "close_account": (close_account, 204),
    "verify_email": (verify_email, 204),
    "reset_password": (reset_password, 204),
    "change_email": (change_email, 202),
    "confirm_email_change": (confirm_email_change, 204),
    "accept_invitation": (accept_invitation, 400),
}
#: What a login of yesterday is refused for: the passkey is the proof, and nothing asks for a password.
FRESH = {"set_password": set_password, "close_account": close_account, "change_email": change_email}


def test_the_table_has_all_endpoints_that_take_a_password() -> None:
    endpoints = [endpoint for feature in every_feature() for endpoint in feature.endpoints]
    taking = {item.name for item in endpoints if any(field.type == Secret for field in item.fields.values())}

    assert taking == OUTCOMES.keys()


@pytest.mark.parametrize("name", OUTCOMES)
async def test_a_user_without_a_password_meets_every_endpoint_that_takes_one(name: str) -> None:
    calling, status = OUTCOMES[name]
    async with an_owner() as owner:
        await owner.log_in()
        if name in FRESH:
            owner.clock.move(700)
            refused = await FRESH[name](owner)
            expected = (401, "fresh_login_required", ["passkey"])
            assert (refused.status, refused.json["code"], refused.json["ways"]) == expected
            owner.client.headers = bearer_of(await reauthenticate(owner))

        answer = await calling(owner)

        assert answer.status == status, answer.body


async def test_the_first_password_asks_for_the_passkey_beside_it() -> None:
    async with an_owner() as owner:
        await owner.log_in()
        await set_password(owner)

        begun = await login(owner)

        assert (begun.json["code"], begun.json["factors"]) == ("second_factor_required", ["passkey"])


async def test_a_user_without_a_password_takes_the_data_and_adds_other_factors() -> None:
    async with an_owner() as owner:
        await owner.log_in()
        assert (await owner.client.get("/me/export")).json["user"]["email"] == EMAIL
        setup = (await owner.post("/totp/setup")).json
        code = code_at(base64.b32decode(setup["secret"]), int(owner.clock() // 30))
        turned_on = await owner.post("/totp", request=setup["request"], code=code)
        owner.client.headers = bearer_of(turned_on)
        assert len((await owner.post("/recovery-codes")).json["codes"]) == 8
        assert (await owner.client.get("/second-factors")).json["factors"] == ["otp", "passkey", "recovery"]


async def test_of_the_passkeys_of_an_account_without_mail_one_stays() -> None:
    async with make_auth(features=[*cheap(), Passkeys(sign_up=True)]) as auth:
        owner = Owner(auth, Clock(), Outbox())
        asked = (await owner.post("/register/passkey/options", email=EMAIL)).json
        made = owner.device.create(asked["options"])
        begun = await owner.post("/register/passkey", email=EMAIL, request=asked["request"], credential=made)
        owner.client.headers = bearer(begun.json["tokens"]["access_token"])

        async def ids() -> list[str]:
            return [each["id"] for each in (await owner.client.get("/passkeys")).json["passkeys"]]

        async def delete(id: str) -> Answer:  # noqa: A002 (as in the path)
            return await owner.client.request("DELETE", f"/passkeys/{id}")

        [first] = await ids()
        assert (await delete(first)).json["code"] == "last_way_in"
        options = (await owner.post("/passkeys/options")).json["options"]
        owner.device = Passkey(origin=ORIGIN)
        added = await owner.post("/passkeys", credential=owner.device.create(options))
        owner.client.headers = bearer(added.json["tokens"]["access_token"])
        assert (await delete(first)).status == 204
        await owner.log_in()
        [second] = await ids()
        assert (await delete(second)).json["code"] == "last_way_in"
        assert await ids() == [second]


async def test_a_login_that_waits_is_finished_by_a_passkey_which_may_trust_the_browser() -> None:
    async with an_owner() as owner:
        await owner.log_in()
        await set_password(owner)
        browser = {"auth-transport": "cookie", "origin": ORIGIN, "sec-fetch-site": "same-origin"}
        client = Client(AuthApp(owner.auth), keep_cookies=True, headers=browser)

        async def finish(**more: bool) -> Answer:
            assert (await client.post("/login", {"email": EMAIL, "password": PASSWORD})).status == 401
            options = (await client.post("/login/passkey/options", {})).json["options"]
            return await client.post("/login/passkey", {"credential": owner.device.get(options), **more})

        async def forget() -> Answer:
            kept = {name: value for name, value in client.cookies.items() if name.endswith("-trusted")}
            client.cookies = kept
            return await client.post("/login", {"email": EMAIL, "password": PASSWORD})

        assert (await finish()).status == 200
        assert (await forget()).status == 401
        client.cookies.clear()
        assert (await finish(trust_device=True)).status == 200
        assert (await forget()).status == 200
        assert (await client.get("/me")).status == 200
