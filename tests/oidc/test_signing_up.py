"""Sign-ups at providers that lack an address, or extra fields that every account needs."""

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from asgi_auth import Field, Pages, Usernames
from tests.oidc.test_handoff import SCRIPT, come_back, finish
from tests.oidc.test_linking import SAME, account, identities
from tests.oidc.world import World, world
from tests.support import EMAIL, Answer, Client

FIELDS = [Field("company", required=True), Field("age", int, default=18)]
OTHER = "other@example.com"


async def sign_up(app: World, browser: Client | None = None, **sent: Any) -> Answer:
    headers = SAME | {"auth-transport": "cookie"}
    return await (browser or app.browser).post("/auth/oidc/sign-up", sent, headers=headers)


async def confirm(app: World, answer: Answer) -> Answer:
    mail = await app.outbox.next("register")
    assert (answer.status, mail.link, mail.token) == (202, "", "")
    sent = {"request": answer.json["request"], "code": mail.code}
    return await app.browser.post("/auth/verify-email", sent, headers=SAME)


async def test_a_typed_address_is_proven_by_a_mail_and_the_login_is_not_lost() -> None:
    async with world() as app:
        app.op.add_user("7", name="Ada")

        asked = await app.login("/after")

        assert (asked.status, asked.json["code"], asked.json["missing"]) == (422, "email_needed", ["email"])
        assert "sign_up" not in asked.json
        assert (await app.another_browser().post("/auth/oidc/sign-up", {"email": EMAIL}, headers=SAME)).status == 400
        assert (await sign_up(app)).status == 422
        # A mistyped address is corrected.
        assert (await sign_up(app, email="nobody@example.com")).status == 202
        await app.outbox.next("register")
        assert (await confirm(app, await sign_up(app, email=EMAIL))).status == 204
        assert (await sign_up(app, email=EMAIL)).json["code"] == "invalid_login_state"
        assert (await app.login("/after")).status == 303
        assert (await app.me()).json["email"] == EMAIL


async def test_a_sign_up_is_completed_once() -> None:
    async with world(fields=FIELDS) as app:
        assert (await app.login()).json["missing"] == ["company"]

        answers = await asyncio.gather(*(sign_up(app, company="Acme") for _ in range(8)))

        assert sorted(answer.status for answer in answers) == [200] + [400] * 7
        assert (await app.me()).json["data"] == {"company": "Acme", "age": 18}
        stranger = app.another_browser()
        stranger.cookies = {name: value for name, value in app.browser.cookies.items() if "sign_up" in name}
        assert (await sign_up(app, stranger, company="Acme")).json["code"] == "invalid_login_state"


async def test_a_sign_up_waits_for_ten_minutes() -> None:
    for seconds, status in ((599, 200), (600, 400)):
        async with world(fields=FIELDS) as app:
            await app.login()
            app.clock.move(seconds)

            assert (await sign_up(app, company="Acme")).status == status


@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize("enumeration", ["hide", "tell"])
async def test_a_typed_address_opens_no_account(*, verified: bool, enumeration: str) -> None:
    async with world(enumeration=enumeration) as app:
        user_id = await account(app, verified=verified)
        app.op.add_user("7", email_verified=True)
        await app.login()

        answer = await sign_up(app, email=EMAIL)

        assert answer.status == (202 if enumeration == "hide" else 409)
        assert await identities(app, user_id) == 0
        assert (await app.me()).status == 401


async def test_another_address_than_that_of_the_provider_is_not_proven() -> None:
    async with world(fields=FIELDS) as app:
        app.user(email=OTHER)
        await app.login()

        answer = await sign_up(app, company="Acme", email="third@example.com")

        assert (await confirm(app, answer)).status == 204
        await app.login()
        assert (await app.me()).json["email"] == "third@example.com"


async def test_an_address_that_got_an_account_meanwhile_is_linked_by_its_proof_alone() -> None:
    async with world(fields=FIELDS) as app:
        await app.login()
        user = await app.auth.users.create(EMAIL, password="a long password", verified=True, data={"company": "First"})

        assert (await sign_up(app, company="Acme")).status == 200
        assert (await app.me()).json["id"] == user.id
        assert (await app.me()).json["data"]["company"] == "First"
        # The sign-up was used up: it links nothing once the link is gone.
        (listed,) = (await app.browser.get("/auth/identities")).json["identities"]
        assert (await app.browser.request("DELETE", f"/auth/identities/{listed['id']}", headers=SAME)).status == 204
        assert (await sign_up(app, company="Acme")).json["code"] == "invalid_login_state"


async def test_a_required_username_is_asked_for_and_given_once() -> None:
    async with world("sqlite://", Usernames(required=True)) as app:
        await app.auth.users.create(OTHER, password="a long password", data={"username": "ada"})
        assert (await app.login()).json["missing"] == ["username"]

        taken = await sign_up(app, username="Ada")
        assert (taken.status, list(taken.json["errors"])) == (422, ["username"])
        assert (await sign_up(app)).status == 422
        assert (await sign_up(app, username="lovelace")).status == 200
        assert (await app.me()).json["data"]["username"] == "lovelace"


async def test_without_sign_up_nothing_is_asked_for() -> None:
    async with world(sign_up=False, fields=FIELDS) as app:
        for claims in ({}, {"email": EMAIL, "email_verified": True}):
            app.op.add_user("7", **claims)
            assert (await app.login()).json["code"] == "registration_closed"


async def test_a_script_completes_a_sign_up_by_its_secret() -> None:
    async with world(fields=FIELDS, cors_origins=[SCRIPT]) as app:
        asked = await finish(app, (await come_back(app))["token"])
        assert (asked.status, asked.json["code"]) == (422, "fields_needed")

        sent = {"sign_up": asked.json["sign_up"], "company": "Acme"}
        answer = await Client(app.app).post("/auth/oidc/sign-up", sent, headers={"origin": SCRIPT})

        assert answer.status == 200
        assert answer.json["access_token"]


async def test_the_page_asks_for_what_is_missing_and_goes_on() -> None:
    async with world("sqlite://", Pages(), Usernames(required=True), fields=FIELDS) as app:
        form = {"content-type": "application/x-www-form-urlencoded"} | SAME

        asked = await app.login("/after")

        assert (asked.status, asked.header("location")) == (303, "../../oidc/sign-up?next=%2Fafter")
        page = (await app.browser.get("/auth/oidc/sign-up?next=/after")).body.decode()
        assert f'value="{EMAIL}"' in page
        assert all(f'name="{name}"' in page for name in ("company", "age", "username", "email"))
        sent = {"email": EMAIL, "company": "Acme", "age": "18", "username": "ad", "next": "/after"}
        refused = await app.browser.request("POST", "/auth/oidc/sign-up", body=urlencode(sent).encode(), headers=form)
        assert (refused.status, b'value="Acme"' in refused.body) == (422, True)
        sent["username"] = "lovelace"
        done = await app.browser.request("POST", "/auth/oidc/sign-up", body=urlencode(sent).encode(), headers=form)
        assert (done.status, done.header("location")) == (303, "/after")
        assert (await app.me()).json["email_verified"] is True


async def test_the_page_asks_for_the_code_of_a_typed_address_and_is_for_its_browser_alone() -> None:
    async with world("sqlite://", Pages()) as app:
        app.op.add_user("7")
        form = {"content-type": "application/x-www-form-urlencoded"} | SAME
        assert (await app.login()).header("location") == "../../oidc/sign-up"

        sent = urlencode({"email": EMAIL}).encode()
        answer = await app.browser.request("POST", "/auth/oidc/sign-up", body=sent, headers=form)

        assert (answer.header("location") or "").startswith("../verify-email?request=")
        assert (await app.another_browser().get("/auth/oidc/sign-up")).header(
            "location"
        ) == "../login?said=login_needed"
