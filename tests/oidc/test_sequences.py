"""What users do while a login at a provider is on its way, and after it: in every order, nothing opens too much."""

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from asgi_auth import TrustedDevices
from tests.oidc.test_linking import SAME, account, begun, identities, logged_in, turn_on
from tests.oidc.world import CALLBACK, ISSUER, World, world
from tests.support import EMAIL, PASSWORD, Client

PROBLEM = {"accept": "application/json"}


async def ways_back(app: World, number: int) -> list[tuple[Client, str]]:
    """Begin logins with so many browsers; return each with its way back."""
    browsers = [app.another_browser() for _ in range(number)]
    return [(browser, await app.back(await app.begin(browser=browser))) for browser in browsers]


async def live_sessions(app: World, user_id: str) -> int:
    return len(await app.auth.storage.sessions(user_id, int(app.clock()), 0))


async def test_an_account_is_linked_unlinked_and_linked_again() -> None:
    async with world(keep_tokens=True) as app:
        browser = await logged_in(app)
        user_id = (await app.me(browser)).json["id"]
        for _ in range(3):
            for _ in range(2):
                assert (await browser.get(await begun(app, browser))).status == 303
            (linked,) = (await browser.get("/auth/identities")).json["identities"]

            answer = await browser.request("DELETE", f"/auth/identities/{linked['id']}", headers=SAME)

            assert answer.status == 204
            assert len(await app.auth.storage.credentials(user_id)) == 1  # the password


async def test_a_link_of_a_session_that_has_ended_is_void() -> None:
    async with world() as app:
        for path, body in (("/auth/logout", {}), ("/auth/close-account", {"password": PASSWORD})):
            browser = await logged_in(app, f"ada{len(path)}@example.com")
            user_id = (await app.me(browser)).json["id"]
            back = await begun(app, browser)
            assert (await browser.post(path, body, headers=SAME)).status == 204

            assert (await browser.get(back, headers=PROBLEM)).json["code"] == "invalid_login_state"
            assert await identities(app, user_id) == 0


@pytest.mark.parametrize("driver", ["sqlite", "postgres15"])
@pytest.mark.parametrize("end", ["ban", "close"])
async def test_no_login_at_a_provider_outlives_the_end_of_its_account(
    driver: str, end: str, fresh: Callable[[str], str]
) -> None:
    async with world(fresh(driver)) as app:
        await app.login()
        user = await app.auth.users.by_email(EMAIL)
        backs, late = await ways_back(app, 5), (await ways_back(app, 1))[0]

        async def ends() -> None:
            await asyncio.sleep(0.005)
            if end == "ban":
                await app.auth.users.set_status(user.id, "disabled")
            else:
                assert (await app.browser.post("/auth/close-account", {}, headers=SAME)).status == 204

        await asyncio.gather(*(browser.get(back) for browser, back in backs), ends())

        assert await live_sessions(app, user.id) == 0
        assert {(await app.me(browser)).status for browser, _ in backs} == {401}
        assert (await late[0].get(late[1], headers=PROBLEM)).json["code"] == "account_disabled"


async def test_of_two_that_claim_an_address_its_owner_confirms_one() -> None:
    async with world(enumeration="hide") as app:
        asked = []
        for subject in ("1", "2"):
            app.user(subject, email_verified=False)
            browser = app.another_browser()
            answer = await app.login(browser=browser)
            asked.append((browser, answer.json["request"], (await app.outbox.next("register")).code))
            app.clock.move(70)
        (ada, own, code), (eve, others, other_code) = asked

        async def confirm(browser: Client, request: str, with_code: str) -> int:
            sent = {"request": request, "code": with_code}
            return (await browser.post("/auth/verify-email", sent, headers=SAME)).status

        # The code of the first proves nothing about the second (CVE-2026-9087).
        assert [await confirm(eve, others, code), await confirm(ada, own, code)] == [400, 204]
        assert await confirm(eve, others, other_code) == 400
        user = await app.auth.users.by_email(EMAIL)
        (linked,) = await app.auth.storage.credentials(user.id)
        assert linked.identifier == f"{ISSUER} 1"


async def test_a_changed_address_leaves_the_link_and_opens_nothing_for_the_old_one() -> None:
    async with world() as app:
        await app.login()
        user = await app.auth.users.by_email(EMAIL)
        await app.auth.users.set_email(user.id, "new@example.com", verified=True)

        assert (await app.login(browser=app.another_browser())).status == 303
        assert await live_sessions(app, user.id) >= 1
        app.user("8")
        another = app.another_browser()
        await app.login(browser=another)
        assert (await app.me(another)).json["id"] != user.id


async def test_a_form_that_is_sent_twice_logs_in_once() -> None:
    async with world() as app:
        query = urlsplit(await app.back(await app.begin("/after"))).query
        headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "cross-site"}
        ways = [
            (await app.browser.request("POST", CALLBACK, body=query.encode(), headers=headers)).header("location") or ""
            for _ in range(2)
        ]

        statuses = [(await app.browser.get(way)).status for way in ways]

        assert statuses == [303, 400]
        assert (await app.me()).status == 200


async def test_a_code_belongs_to_its_own_login_of_the_same_browser() -> None:
    async with world() as app:
        first, second = [parse_qs(urlsplit(await app.back(await app.begin())).query) for _ in range(2)]
        mixed = urlencode({"code": first["code"][0], "state": second["state"][0], "iss": ISSUER})

        assert (await app.browser.get(f"{CALLBACK}?{mixed}", headers=PROBLEM)).json["code"] == "provider_refused"
        assert (await app.me()).status == 401


async def test_a_browser_that_waives_the_second_factor_changes_no_links() -> None:
    async with world("sqlite://", TrustedDevices()) as app:
        await account(app, verified=True)
        totp = await turn_on(app)
        app.clock.move(30)
        headers = SAME | {"auth-transport": "cookie"}
        assert (await app.login()).json["code"] == "second_factor_required"
        sent = {"code": totp(app.clock()), "trust_device": True}
        assert (await app.browser.post("/auth/login/totp", sent, headers=headers)).status == 200
        await app.browser.post("/auth/logout", {}, headers=SAME)

        assert (await app.login()).status == 303
        (linked,) = (await app.browser.get("/auth/identities")).json["identities"]
        removed = await app.browser.request("DELETE", f"/auth/identities/{linked['id']}", headers=SAME)
        assert (removed.status, removed.json["code"]) == (403, "second_factor_needed")
        assert (await app.browser.post("/auth/oidc/op/link", {}, headers=SAME)).json["code"] == "second_factor_needed"
