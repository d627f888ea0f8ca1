"""Step-up by a provider: the account there is linked already, and its user has logged in there anew."""

from typing import Any

import pytest

from asgi_auth import OIDC, Pages
from asgi_auth.testing.provider.lies import ABSENT, Lie, plus
from tests.oidc.test_linking import SAME, account, begun, identities, logged_in, turn_on
from tests.oidc.world import World, openid, world
from tests.support import EMAIL, Answer, Client, cheap, make_auth

PATH = "/auth/reauthenticate/op"


async def stale(app: World) -> Client:
    """Log in at the provider, and wait until the login is no longer fresh."""
    assert (await app.login()).status == 303
    app.clock.move(700)
    return app.browser


async def renewed(app: World, browser: Client, target: str = "/after") -> Answer:
    answer = await browser.post(PATH, {"next": target}, headers=SAME)
    assert (answer.status, list(answer.json)) == (200, ["url"])
    return await browser.get(await app.back(answer.json["url"]))


async def ways(browser: Client) -> Any:
    """Ask for something that needs a fresh login; return the ways to get one, or None when it was given."""
    answer = await browser.post("/auth/oidc/op/link", {}, headers=SAME)
    return answer.json.get("ways", ()) if answer.status == 401 else None


async def test_a_login_at_the_provider_makes_the_session_fresh_and_no_other() -> None:
    async with world() as app:
        browser = await stale(app)
        app.op.auth_time = int(app.clock()) - 700
        before = (await browser.get("/auth/sessions")).json["sessions"]
        assert await ways(browser) == ["op"]

        answer = await renewed(app, browser)

        assert (answer.status, answer.header("location")) == (303, "/after")
        assert app.op.requests[-2].query["prompt"] == "login"
        assert await ways(browser) is None
        assert [each["id"] for each in (await browser.get("/auth/sessions")).json["sessions"]] == [before[0]["id"]]


TIMES: dict[str, Any] = {"none": ABSENT, "old": plus(-31), "future": plus(31), "text": str, "no number": True}


@pytest.mark.parametrize("auth_time", TIMES)
async def test_without_the_time_of_a_new_login_nothing_is_fresh(auth_time: str) -> None:
    async with world() as app:
        browser = await stale(app)
        app.op.lies(Lie(claims={"auth_time": TIMES[auth_time]}))

        answer = await renewed(app, browser)

        assert (answer.status, answer.json["code"]) == (400, "provider_refused")
        # A provider that says no time is not offered again.
        assert await ways(browser) == (() if auth_time == "none" else ["op"])


@pytest.mark.parametrize("is_linked", [True, False])
async def test_only_an_account_that_is_linked_to_this_user_counts_and_none_is_linked(*, is_linked: bool) -> None:
    async with world() as app:
        browser = await stale(app)
        app.user("8", email="eve@example.com")
        if is_linked:
            await app.login(browser=app.another_browser())

        answer = await renewed(app, browser)

        assert (answer.status, answer.json["code"]) == (403, "other_identity")
        assert await ways(browser) == ["op"]
        assert len((await browser.get("/auth/identities")).json["identities"]) == 1


async def test_a_step_up_ends_in_the_session_that_began_it() -> None:
    async with world() as app:
        browser = await stale(app)
        other = app.another_browser()
        await app.login(browser=other)
        back = await app.back((await browser.post(PATH, {}, headers=SAME)).json["url"])
        other.cookies |= {name: value for name, value in browser.cookies.items() if "-oidc-" in name}

        assert (await other.get(back)).json["code"] == "invalid_login_state"

        user = await app.auth.users.by_email(EMAIL)
        back = await app.back((await browser.post(PATH, {}, headers=SAME)).json["url"])
        await app.auth.end_sessions(user.id)
        assert (await browser.get(back)).status in {400, 401}


async def test_a_provider_that_is_not_linked_or_tells_no_time_proves_nothing() -> None:
    async with world(providers=[openid(tells_auth_time=False)]) as app:
        browser = await stale(app)
        assert await ways(browser) == ()
        assert (await browser.post(PATH, {}, headers=SAME)).status == 404
        assert (await browser.get("/auth/identities")).json["identities"][0]["reauthenticates"] is False
    async with world() as app:
        assert (await (await logged_in(app)).post(PATH, {}, headers=SAME)).status == 404
        assert (await app.browser.post(PATH, {}, headers=SAME)).status == 401


async def test_an_account_at_a_provider_is_no_second_factor() -> None:
    async with world() as app:
        await account(app, verified=True)
        totp = await turn_on(app)
        await app.login()
        app.clock.move(30)
        assert (await app.browser.post("/auth/login/totp", {"code": totp(app.clock())}, headers=SAME)).status == 200
        app.clock.move(700)

        assert await ways(app.browser) == ["totp"]


async def test_the_page_leads_to_the_provider_and_back_to_the_form() -> None:
    async with world("sqlite://", Pages()) as app:
        browser = await stale(app)

        page = (await browser.get("/auth/reauthenticate?next=account")).body.decode()
        assert "Log in anew with Op" in page
        assert "oidc/op/reauthenticate?next=account" in page

        sent = await browser.get("/auth/oidc/op/reauthenticate?next=account", headers=SAME)
        answer = await browser.get(await app.back(sent.header("location") or ""))

        assert (answer.status, answer.header("location")) == (303, "../../account")
        assert await ways(browser) is None


async def test_an_unlinked_account_proves_nothing_any_more() -> None:
    async with world() as app:
        browser = await logged_in(app)
        assert (await browser.get(await begun(app, browser))).status == 303
        back = await app.back((await browser.post(PATH, {}, headers=SAME)).json["url"])
        (listed,) = (await browser.get("/auth/identities")).json["identities"]
        assert (await browser.request("DELETE", f"/auth/identities/{listed['id']}", headers=SAME)).status == 204

        assert (await browser.get(back)).json["code"] == "other_identity"
        user = await app.auth.users.by_email(EMAIL)
        assert await identities(app, user.id) == 0


def test_no_provider_has_the_name_of_another_proof() -> None:
    with pytest.raises(ValueError, match="another way to prove"):
        make_auth(features=[*cheap(), OIDC([openid("password")])])
