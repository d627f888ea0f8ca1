"""Logins at a provider: the way there and back, and who may finish it."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from asgi_auth import OIDC, MemoryCounters, Pages
from asgi_auth.errors import StorageUnavailableError
from tests.oidc.world import CALLBACK, ISSUER, openid, world
from tests.support import EMAIL, make_auth


async def test_a_login_at_a_provider_goes_on_where_it_was_begun_with_cookies() -> None:
    async with world() as app:
        answer = await app.login("/after")

        assert (answer.status, answer.header("location")) == (303, "/after")
        me = (await app.me()).json
        assert (me["email"], me["email_verified"]) == (EMAIL, True)


async def test_the_request_has_pkce_a_nonce_and_the_one_address_of_the_provider() -> None:
    async with world() as app:
        asked = parse_qs(urlsplit(await app.begin()).query)

        assert asked["redirect_uri"] == ["https://app.example.com/auth/oidc/op/callback"]
        assert asked["code_challenge_method"] == ["S256"]
        assert {"nonce", "state", "code_challenge"} <= asked.keys()


async def test_the_second_login_of_an_identity_finds_its_account_by_the_subject() -> None:
    async with world() as app:
        await app.login()
        first = (await app.me()).json["id"]
        app.user(email="another@example.com")

        await app.login(browser=(other := app.another_browser()))

        assert (await app.me(other)).json["id"] == first


async def test_another_browser_cannot_finish_a_login() -> None:
    async with world() as app:
        back = await app.back(await app.begin())

        answer = await app.another_browser().get(back)

        assert (answer.status, answer.json["code"]) == (400, "invalid_login_state")
        assert (await app.browser.get(back)).status == 303


async def test_a_login_is_finished_once_of_many_calls() -> None:
    async with world() as app:
        back = await app.back(await app.begin())
        cookies = dict(app.browser.cookies)

        async def finish() -> int:
            browser = app.another_browser()
            browser.cookies = dict(cookies)
            return (await browser.get(back)).status

        assert sorted(await asyncio.gather(*(finish() for _ in range(32)))) == [303] + [400] * 31
        # The provider, which takes a code once, is asked once.
        assert len(app.op.asked("token")) == 1


async def test_a_login_is_finished_once_whatever_becomes_of_the_counters() -> None:
    counters = MemoryCounters()
    async with world(counters=counters) as app:
        back = await app.back(await app.begin())
        cookies = dict(app.browser.cookies)
        assert (await app.browser.get(back)).status == 303

        counters._counters.clear()
        for moved in (-100, 100, 599):
            app.clock.move(moved)
            app.browser.cookies = dict(cookies)

            assert (await app.browser.get(back)).json["code"] == "invalid_login_state"
        assert len(app.op.asked("token")) == 1


async def test_a_login_ends_after_ten_minutes() -> None:
    for seconds, status in ((599, 303), (600, 400)):
        async with world() as app:
            url = await app.begin()
            app.clock.move(seconds)

            assert (await app.browser.get(await app.back(url))).status == status


async def test_the_state_of_one_provider_is_refused_at_another() -> None:
    async with world(providers=[openid(), openid("two")]) as app:
        back = await app.back(await app.begin())

        answer = await app.browser.get(back.replace("/op/", "/two/"))

        assert (answer.status, answer.json["code"]) == (400, "invalid_login_state")


async def test_two_logins_in_two_tabs_do_not_disturb_each_other() -> None:
    async with world() as app:
        first, second = await app.back(await app.begin("/one")), await app.back(await app.begin("/two"))

        assert (await app.browser.get(first)).header("location") == "/one"
        assert (await app.browser.get(second)).header("location") == "/two"


async def test_a_code_of_another_login_is_refused_by_its_verifier() -> None:
    async with world() as app:
        stranger = app.another_browser()
        stolen = parse_qs(urlsplit(await app.back(await app.begin(browser=stranger))).query)["code"][0]
        own = await app.back(await app.begin())
        mixed = own.replace(parse_qs(urlsplit(own).query)["code"][0], stolen)

        answer = await app.browser.get(mixed)

        assert (answer.status, answer.json["code"]) == (400, "provider_refused")


async def test_a_form_of_the_provider_goes_on_with_get() -> None:
    async with world() as app:
        back = await app.back(await app.begin("/after"))
        query = urlsplit(back).query
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "origin": ISSUER,
            "sec-fetch-site": "cross-site",
            "accept": "text/html",
        }

        answer = await app.another_browser().request("POST", CALLBACK, body=query.encode(), headers=headers)

        assert answer.status == 303
        onward = answer.header("location") or ""
        assert onward.partition("?")[0] == CALLBACK
        assert (await app.browser.get(onward)).header("location") == "/after"


async def test_what_a_provider_adds_to_the_callback_is_ignored() -> None:
    async with world() as app:
        back = await app.back(await app.begin())

        assert (await app.browser.get(f"{back}&session_state=1&authuser=0&scope=openid")).status == 303


async def test_head_uses_nothing_up() -> None:
    async with world() as app:
        back = await app.back(await app.begin())

        assert (await app.browser.request("HEAD", back)).status == 405
        assert (await app.browser.get(back)).status == 303


async def test_a_target_on_another_site_is_refused() -> None:
    async with world() as app:
        for target in ("https://elsewhere.example", "//elsewhere.example", "javascript:alert(1)"):
            assert (await app.browser.get(f"/auth/oidc/op/login?next={target}")).status == 400


async def test_an_unknown_provider_is_not_found() -> None:
    async with world() as app:
        assert (await app.browser.get("/auth/oidc/unknown/login")).status == 404


async def test_an_error_of_the_provider_is_told_after_the_state_was_checked() -> None:
    async with world() as app:
        app.op.refuses = "access_denied"
        back = await app.back(await app.begin())

        assert (await app.another_browser().get(back)).json["code"] == "invalid_login_state"
        assert (await app.browser.get(back)).json["code"] == "provider_refused"


async def test_without_a_memory_of_used_logins_none_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as app:
        back = await app.back(await app.begin())

        async def away(*_: object) -> None:
            raise StorageUnavailableError

        monkeypatch.setattr(app.auth.storage, "count", away)

        assert (await app.browser.get(back)).status == 503


async def test_the_cookie_is_lax_and_gone_after_the_login() -> None:
    async with world(cookie_same_site="strict") as app:
        answer = await app.browser.get("/auth/oidc/op/login")
        (line,) = [line for line in answer.all("set-cookie") if "-oidc-" in line]

        assert "SameSite=Lax" in line
        assert "HttpOnly" in line
        await app.browser.get(await app.back(answer.header("location") or ""))
        assert not [name for name in app.browser.cookies if "-oidc-" in name]


async def test_refusals_are_pages_with_a_way_on() -> None:
    async with world("sqlite://", Pages()) as app:
        back = await app.back(await app.begin("/after"))

        answer = await app.another_browser().get(back)

        assert answer.status == 400
        assert b"was not begun in this browser" in answer.body
        assert b"login" in answer.body


async def test_the_login_page_links_to_each_provider() -> None:
    async with world("sqlite://", Pages(), providers=[openid(title="Example Corp")]) as app:
        page = (await app.browser.get("/auth/login?next=/after")).body.decode()

        assert "Continue with Example Corp" in page
        assert "oidc/op/login?next=/after" in page
        assert "Continue with Example Corp" in (await app.browser.get("/auth/register")).body.decode()


def test_without_base_url_or_providers_there_is_no_feature() -> None:
    with pytest.raises(ValueError, match="base_url"):
        make_auth(features=[OIDC([openid()])], base_url=None)
    with pytest.raises(ValueError, match="providers"):
        OIDC([])
    with pytest.raises(ValueError, match="name of its own"):
        OIDC([openid(), openid()])
    with pytest.raises(ValueError, match="client_id"):
        type(openid())("op", "", "secret", issuer=ISSUER)


async def test_another_site_begins_no_login_by_itself() -> None:
    async with world("sqlite://", Pages()) as app:
        answer = await app.browser.get("/auth/oidc/op/login?next=/after", headers={"sec-fetch-site": "cross-site"})

        assert answer.status == 200
        assert b'href="?next=/after"' in answer.body
        assert app.browser.cookies == {}


async def test_strict_cookies_come_after_a_page_that_goes_on_by_itself() -> None:
    async with world("sqlite://", Pages(), cookie_same_site="strict") as app:
        back = await app.back(await app.begin("/after"))

        passage = await app.browser.get(back, headers={"sec-fetch-site": "cross-site"})

        assert (passage.status, passage.header("refresh")) == (200, f"0;url=?{urlsplit(back).query}")
        answer = await app.browser.get(back, headers={"sec-fetch-site": "same-origin"})
        assert (answer.status, answer.header("location")) == (303, "/after")
