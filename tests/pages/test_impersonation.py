"""Impersonation on the pages: a button, a banner on every page, and the way back."""

from collections.abc import AsyncIterator

import pytest

from asgi_auth import Pages, SecondFactors
from tests.features.impersonating import Browser, World, a_browser, impersonating
from tests.support import ORIGIN, PASSWORD

FORM = {
    "origin": ORIGIN,
    "sec-fetch-site": "same-origin",
    "content-type": "application/x-www-form-urlencoded",
    "accept": "text/html",
}
HTML = {"accept": "text/html"}
BANNER = "You act for user@example.com"


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with impersonating(more=[SecondFactors(), Pages(after_login="/in")]) as made:
        yield made


@pytest.fixture
async def browser(world: World) -> Browser:
    made = a_browser(world)
    await made.log_in("owner")
    return made


async def page(browser: Browser, path: str) -> str:
    return (await browser.client.get(f"/auth{path}", headers=HTML)).body.decode()


async def test_the_page_of_a_user_has_a_button(world: World, browser: Browser) -> None:
    user_id = world.users["user"].id
    shown = await page(browser, f"/admin/users/{user_id}")
    assert f"/users/{user_id}/impersonate" in shown
    assert "refresh_token" not in shown

    begun = await browser.client.post(f"/auth/users/{user_id}/impersonate", headers=FORM, body=b"")

    assert (begun.status, begun.header("location")) == (303, "/in")
    assert await browser.id_seen() == user_id
    assert "__Host-auth-admin" in browser.client.cookies


async def test_neither_the_page_of_the_caller_nor_that_of_a_banned_user_has_one(world: World, browser: Browser) -> None:
    await world.auth.users.ban(world.users["user"].id)

    for name in ("user", "owner"):
        assert "/impersonate" not in await page(browser, f"/admin/users/{world.users[name].id}")


async def test_a_refusal_is_shown_on_the_page_of_the_user(world: World, browser: Browser) -> None:
    user_id = world.users["user"].id
    world.clock.move(700)

    refused = await browser.client.post(f"/auth/users/{user_id}/impersonate", headers=FORM, body=b"")

    # The owner has to prove the password first.
    assert refused.status == 200
    assert "password" in refused.body.decode()
    assert await browser.id_seen() == world.users["owner"].id


async def test_the_pages_say_so_and_stop_it(world: World, browser: Browser) -> None:
    assert BANNER not in await page(browser, "/account")
    await browser.impersonate("user")

    account = await page(browser, "/account")

    assert BANNER in account
    assert 'stop-impersonating">' in account
    assert "an administrator acts for you" in account
    stopped = await browser.client.post("/auth/stop-impersonating", headers=FORM, body=b"")
    assert (stopped.status, stopped.header("location")) == (303, "/in")
    assert await browser.id_seen() == world.users["owner"].id
    assert BANNER not in await page(browser, "/account")


async def test_stopping_without_a_parked_session_leads_to_the_login(browser: Browser) -> None:
    await browser.impersonate("user")
    browser.client.cookies.pop("__Host-auth-admin")

    stopped = await browser.client.post("/auth/stop-impersonating", headers=FORM, body=b"")

    assert stopped.status == 303
    target = str(stopped.header("location")).removeprefix(".")
    assert "You no longer act for another user." in await page(browser, target)


async def test_a_form_for_the_user_alone_says_why_it_is_refused(browser: Browser) -> None:
    await browser.impersonate("user")
    body = f"current_password={PASSWORD}&new_password=another-battery-staple".replace(" ", "+").encode()

    refused = await browser.client.post("/auth/change-password", headers=FORM, body=body)

    assert refused.status == 403
    assert "only that user can do this" in refused.body.decode()
    assert BANNER in refused.body.decode()


async def test_the_page_of_errors_says_so_too(browser: Browser) -> None:
    await browser.impersonate("user")

    missing = await page(browser, "/admin")

    assert "You act for" in missing


async def test_it_speaks_german(browser: Browser) -> None:
    await browser.impersonate("user")

    answer = await browser.client.get("/auth/account", headers={**HTML, "accept-language": "de"})

    assert "Sie handeln für user@example.com" in answer.body.decode()
