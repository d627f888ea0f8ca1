"""Which account a login at a provider opens: rules, and the second factor before a link."""

import asyncio
import base64
import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import Pages
from asgi_auth.features.totp.codes import code_at
from tests.features.flows import NEW_PASSWORD
from tests.oidc.world import World, world
from tests.support import EMAIL, PASSWORD, Client, bearer

SAME = {"sec-fetch-site": "same-origin"}


async def account(app: World, *, verified: bool) -> str:
    user = await app.auth.users.create(EMAIL, password=PASSWORD, verified=verified)
    return user.id


async def identities(app: World, user_id: str) -> int:
    return len(await app.auth.storage.credentials(user_id, "oidc"))


async def test_a_link_takes_an_unverified_account_from_a_stranger() -> None:
    async with world() as app:
        user_id = await account(app, verified=False)
        stranger = await app.browser.post("/auth/login", {"email": EMAIL, "password": PASSWORD})
        browser = app.another_browser()

        await app.login(browser=browser)

        assert (await app.me(browser)).json["id"] == user_id
        assert (await app.browser.post("/auth/login", {"email": EMAIL, "password": PASSWORD})).status == 401
        assert (await app.browser.get("/auth/me", headers=bearer(stranger.json["access_token"]))).status == 401


async def test_a_link_to_a_verified_account_leaves_its_password() -> None:
    async with world() as app:
        await account(app, verified=True)

        await app.login()

        assert (await app.outbox.next("identity_linked")).to == EMAIL
        assert (await app.another_browser().post("/auth/login", {"email": EMAIL, "password": PASSWORD})).status == 200


@pytest.mark.parametrize("driver", ["memory", "postgres15"])
async def test_a_link_waits_for_the_second_factor(driver: str, fresh: Callable[[str], str]) -> None:
    async with world(fresh(driver)) as app:
        user_id = await account(app, verified=True)
        totp = await turn_on(app)
        browser = app.another_browser()

        answer = await app.login(browser=browser)

        assert (answer.status, answer.json["code"]) == (401, "second_factor_required")
        assert await identities(app, user_id) == 0
        assert (await app.me(browser)).status == 401
        app.clock.move(30)
        finished = await browser.post("/auth/login/totp", {"code": totp(app.clock())}, headers=SAME)
        assert finished.status == 200
        assert await identities(app, user_id) == 1


async def turn_on(app: World) -> Any:
    """Turn codes of an app on; return a function that makes them."""
    pair = (await app.another_browser().post("/auth/login", {"email": EMAIL, "password": PASSWORD})).json
    headers = bearer(pair["access_token"])
    setup = (await app.browser.post("/auth/totp/setup", {}, headers=headers)).json
    key = base64.b32decode(setup["secret"])

    def code(now: float) -> str:
        return code_at(key, int(now) // 30)

    sent = {"request": setup["request"], "code": code(app.clock())}
    assert (await app.browser.post("/auth/totp", sent, headers=headers)).status == 200
    return code


async def test_an_address_that_is_only_claimed_is_proven_by_a_code_in_that_browser() -> None:
    async with world(enumeration="hide") as app:
        app.user(email_verified=False)

        answer = await app.login()

        mail = await app.outbox.next("register")
        assert (answer.status, mail.link, mail.token) == (202, "", "")
        sent = {"request": answer.json["request"], "code": mail.code}
        assert (await app.browser.post("/auth/verify-email", sent, headers=SAME)).status == 204
        assert (await app.login()).status == 303
        assert (await app.me()).json["email_verified"] is True


async def test_without_sign_up_no_account_is_made() -> None:
    async with world(sign_up=False) as app:
        answer = await app.login()

        assert (answer.status, answer.json["code"]) == (403, "registration_closed")
        assert await app.auth.storage.user_by_email(EMAIL) is None


async def test_with_link_never_only_unverified_accounts_are_taken() -> None:
    async with world(link="never") as app:
        user_id = await account(app, verified=True)

        assert (await app.login()).json["code"] == "link_needed"
        assert await identities(app, user_id) == 0


async def test_two_logins_of_a_new_user_at_once_make_one_account() -> None:
    async with world() as app:
        browsers = [app.another_browser() for _ in range(8)]
        ways = [await app.back(await app.begin(browser=browser)) for browser in browsers]

        answers = await asyncio.gather(*(browser.get(way) for browser, way in zip(browsers, ways, strict=True)))

        assert {answer.status for answer in answers} == {303}
        assert len({(await app.me(browser)).json["id"] for browser in browsers}) == 1


async def test_the_last_way_in_is_not_unlinked() -> None:
    async with world(mail=False) as app:
        await app.login()
        (listed,) = (await app.browser.get("/auth/identities")).json["identities"]
        assert (listed["provider"], listed["email"]) == ("op", EMAIL)
        path = f"/auth/identities/{listed['id']}"

        refused = await app.browser.request("DELETE", path, headers=SAME)
        assert (refused.status, refused.json["code"]) == (409, "last_way_in")

        sent = {"new_password": NEW_PASSWORD}
        assert (await app.browser.post("/auth/set-password", sent, headers=SAME)).status == 204
        assert (await app.browser.request("DELETE", path, headers=SAME)).status == 204
        assert (await app.browser.get("/auth/identities")).json["identities"] == []


async def test_an_unlinked_login_is_told_by_mail_and_unknown_ones_are_not_found() -> None:
    async with world() as app:
        await app.login()
        (listed,) = (await app.browser.get("/auth/identities")).json["identities"]

        for path, status in (("unknown", 404), (listed["id"], 204), (listed["id"], 404)):
            answer = await app.browser.request("DELETE", f"/auth/identities/{path}", headers=SAME)
            assert answer.status == status

        assert (await app.outbox.next("identity_unlinked")).to == EMAIL


async def test_no_one_unlinks_the_login_of_another_user() -> None:
    async with world() as app:
        await app.login()
        (listed,) = (await app.browser.get("/auth/identities")).json["identities"]
        app.user("8", email="eve@example.com")
        eve = app.another_browser()
        await app.login(browser=eve)

        assert (await eve.request("DELETE", f"/auth/identities/{listed['id']}", headers=SAME)).status == 404
        assert (await app.browser.get("/auth/identities")).json["identities"] == [listed]


async def begun(app: World, browser: Client) -> str:
    """Begin a link in a browser, and return the way back from the provider."""
    answer = await browser.post("/auth/oidc/op/link", {}, headers=SAME)
    assert (answer.status, list(answer.json)) == (200, ["url"])
    return await app.back(answer.json["url"])


async def logged_in(app: World, email: str = EMAIL, *, verified: bool = True) -> Client:
    """Log a user in by a password and cookies."""
    await app.auth.users.create(email, password=PASSWORD, verified=verified)
    browser = app.another_browser()
    headers = SAME | {"auth-transport": "cookie"}
    assert (await browser.post("/auth/login", {"email": email, "password": PASSWORD}, headers=headers)).status == 200
    return browser


async def test_a_user_links_an_account_of_any_address_and_logs_in_with_it() -> None:
    async with world() as app:
        browser = await logged_in(app)
        app.user(email="another@example.com", email_verified=False)

        answer = await browser.get(await begun(app, browser))

        assert answer.status == 303
        (listed,) = (await browser.get("/auth/identities")).json["identities"]
        assert listed["email"] == "another@example.com"
        assert (await app.login()).status == 303
        assert (await app.me()).json["email"] == EMAIL


async def test_a_link_is_made_in_the_session_that_began_it() -> None:
    async with world() as app:
        browser, eve = await logged_in(app), await logged_in(app, "eve@example.com")
        back = await begun(app, eve)
        planted = {name: value for name, value in eve.cookies.items() if "-oidc-" in name}
        browser.cookies |= planted

        answer = await browser.get(back)

        assert (answer.status, answer.json["code"]) == (400, "invalid_login_state")
        assert (await browser.get("/auth/identities")).json["identities"] == []


async def test_links_and_step_ups_that_were_begun_do_not_fill_a_browser_with_cookies() -> None:
    async with world() as app:
        browser = await logged_in(app)
        await browser.get(await begun(app, browser))
        paths = ("/auth/oidc/op/link", "/auth/reauthenticate/op", "/auth/oidc/op/reauthenticate")
        for path in paths * 3:
            way = "GET" if path.endswith("/reauthenticate") else "POST"
            assert (await browser.request(way, path, headers=SAME)).status in {200, 303}

        assert len([name for name in browser.cookies if "-oidc-" in name]) == 4
        assert (await browser.get(await begun(app, browser))).status == 303


async def test_a_linked_account_is_not_linked_to_another_user() -> None:
    async with world() as app:
        browser, eve = await logged_in(app), await logged_in(app, "eve@example.com")
        assert (await browser.get(await begun(app, browser))).status == 303
        assert (await browser.get(await begun(app, browser))).status == 303

        answer = await eve.get(await begun(app, eve))

        assert (answer.status, answer.json["code"]) == (409, "identity_taken")


async def test_a_link_needs_a_fresh_login_and_a_verified_address() -> None:
    async with world() as app:
        squatter = await logged_in(app, verified=False)
        answer = await squatter.post("/auth/oidc/op/link", {}, headers=SAME)
        assert (answer.status, answer.json["code"]) == (403, "email_not_verified")

        browser = await logged_in(app, "eve@example.com")
        app.clock.move(601)
        answer = await browser.post("/auth/oidc/op/link", {}, headers=SAME)
        assert (answer.status, answer.json["code"]) == (401, "fresh_login_required")


async def test_a_session_that_has_ended_links_nothing() -> None:
    async with world() as app:
        browser = await logged_in(app)
        back = await begun(app, browser)
        user = await app.auth.users.by_email(EMAIL)
        await app.auth.end_sessions(user.id)

        assert (await browser.get(back)).status == 400
        assert await identities(app, user.id) == 0


async def test_the_account_page_links_and_unlinks() -> None:
    async with world("sqlite://", Pages()) as app:
        browser = await logged_in(app)
        form = {"content-type": "application/x-www-form-urlencoded"} | SAME
        assert "Link Op" in (await browser.get("/auth/account")).body.decode()

        shown = await browser.request("POST", "/auth/oidc/op/link", body=b"", headers=form)

        assert shown.status == 200
        (url,) = re.findall(r'href="(https://id[.]example[.]com/[^"]+)"', shown.body.decode())
        linked = await browser.get(await app.back(html.unescape(url)))
        assert (linked.status, linked.header("location")) == (303, "../../account")
        page = (await browser.get("/auth/account")).body.decode()
        (path,) = re.findall(r"identities/[0-9a-f-]+", page)
        unlinked = await browser.request("POST", f"/auth/{path}?_method=DELETE", body=b"", headers=form)
        assert unlinked.status == 303
        assert "No account at another service is linked." in (await browser.get("/auth/account")).body.decode()
