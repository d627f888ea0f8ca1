"""Impersonation in a browser: the administrator's own session is parked, and comes back to no other user."""

from collections.abc import AsyncIterator

import pytest

from asgi_auth import Admin
from tests.features.administration import World, administered
from tests.support import ORIGIN, PASSWORD, Answer, Client, bearer, login

ACCESS, REFRESH, PARKED = "__Host-auth", "__Host-auth-refresh", "__Host-auth-admin"


class Browser(Client):
    """A browser of an administrator."""

    async def log_in(self, name: str) -> Answer:
        return await self.post("/auth/login", {"email": f"{name}@example.com", "password": PASSWORD})

    async def me(self) -> str:
        answer = await self.get("/auth/me")
        return str(answer.json["email"]).partition("@")[0] if answer.status == 200 else ""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with administered(transport="cookie") as made:
        made.auth[Admin]._second_factor = False
        yield made


def browser_of(world: World) -> Browser:
    return Browser(world.client.app, {"origin": ORIGIN, "sec-fetch-site": "same-origin"}, keep_cookies=True)


async def acting(world: World, browser: Browser, by: str = "owner", user: str = "user") -> Answer:
    await browser.log_in(by)
    answer = await browser.post(f"/auth/users/{world.users[user].id}/impersonate", {})
    assert answer.status == 200, answer.body
    return answer


async def test_the_session_of_the_administrator_is_parked_and_comes_back(world: World) -> None:
    browser = browser_of(world)
    answer = await acting(world, browser)
    assert answer.json == {"token_type": "Cookie", "expires_in": 3600, "refresh_expires_in": 0}
    [line] = [line for line in answer.all("set-cookie") if line.startswith(PARKED)]
    assert "Max-Age=3600" in line
    assert "HttpOnly" in line
    assert "Secure" in line
    assert (await browser.me(), REFRESH in browser.cookies) == ("user", False)

    stopped = await browser.post("/auth/stop-impersonating", {})

    assert (stopped.status, stopped.json["token_type"]) == (200, "Cookie")
    assert PARKED not in browser.cookies
    assert (await browser.me(), REFRESH in browser.cookies) == ("owner", True)
    # The session of the administrator is no fresh login any more.
    again = await browser.post(f"/auth/users/{world.users['user'].id}/impersonate", {})
    assert (again.status, again.json["code"]) == (401, "fresh_login_required")


async def test_scripts_never_get_the_tokens_of_the_administrator(world: World) -> None:
    """Whatever transport they ask for: the parked cookie is answered in cookies alone."""
    browser = browser_of(world)
    await acting(world, browser)

    stopped = await browser.post("/auth/stop-impersonating", {}, headers={"auth-transport": "bearer"})

    assert (stopped.status, stopped.json.keys()) == (200, {"token_type", "expires_in", "refresh_expires_in"})


async def test_a_parked_session_comes_back_only_to_its_owner(world: World) -> None:
    """Another administrator's parked cookie in the same browser, as on a shared machine, is worth nothing."""
    helper, owner = browser_of(world), browser_of(world)
    await acting(world, helper, "helper")
    await acting(world, owner, "owner")
    helper.cookies[PARKED] = owner.cookies[PARKED]

    stopped = await helper.post("/auth/stop-impersonating", {})

    assert (stopped.status, stopped.body) == (204, b"")
    assert await helper.me() == ""


@pytest.mark.parametrize("ends", ["it goes on", "another cookie", "no cookie", "its own cookie"])
async def test_a_copy_of_a_parked_cookie_is_no_fresh_login(world: World, ends: str) -> None:
    """Whatever becomes of the cookie: the browser may be another person's by now."""
    browser = browser_of(world)
    await acting(world, browser)
    copy = browser.cookies[PARKED]
    if ends == "another cookie":
        browser.cookies[PARKED] = (await login(world.auth, "helper@example.com")).refresh_token
    elif ends == "no cookie":
        del browser.cookies[PARKED]
    if ends != "it goes on":
        assert (await browser.post("/auth/stop-impersonating", {})).status in {200, 204}

    pair = await world.auth.refresh(copy, rotate=False)

    path = f"/auth/users/{world.users['user'].id}/impersonate"
    again = await world.client.post(path, {}, headers={**bearer(pair), "origin": ORIGIN})
    assert (again.status, again.json["code"]) == (401, "fresh_login_required")
    session = await world.auth.session_of(copy)
    assert session is not None
    assert (session.auth_time, session.data["second_factor_at"]) == (0, 0)


async def test_a_parked_session_that_has_ended_does_not_come_back(world: World) -> None:
    browser = browser_of(world)
    await acting(world, browser)
    kept = dict(browser.cookies)
    await world.auth.users.end_sessions(world.users["owner"].id)

    stopped = await browser.post("/auth/stop-impersonating", {})
    assert stopped.status == 401
    browser.cookies = kept
    assert await browser.me() == ""


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout", "/auth/logout-all"])
async def test_every_login_and_logout_forgets_the_parked_session(world: World, path: str) -> None:
    browser = browser_of(world)
    await acting(world, browser)
    body = {"email": "editor@example.com", "password": PASSWORD} if path == "/auth/login" else {}

    assert (await browser.post(path, body)).status in {200, 204}

    assert PARKED not in browser.cookies


async def test_a_verification_while_acting_leaves_the_parked_session(world: World) -> None:
    browser = browser_of(world)
    await world.auth.users.set_verified(world.users["user"].id, verified=False)
    assert (await world.call("user", "POST", "/resend-verification")).status == 202
    await acting(world, browser)
    body = {"token": (await world.outbox.next("verify_email")).token, "password": PASSWORD}

    assert (await browser.post("/auth/verify-email", body)).status == 204

    assert PARKED in browser.cookies


async def test_the_session_of_another_browser_is_not_parked(world: World) -> None:
    browser = browser_of(world)
    await browser.log_in("owner")
    browser.cookies[REFRESH] = (await login(world.auth, "helper@example.com")).refresh_token

    answer = await browser.post(f"/auth/users/{world.users['user'].id}/impersonate", {})

    assert answer.status == 400
    assert PARKED not in browser.cookies


async def test_two_parked_cookies_are_none(world: World) -> None:
    browser = browser_of(world)
    await acting(world, browser)
    pairs = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    line = f"{pairs}; {PARKED}=x"
    browser.cookies = {}

    stopped = await browser.post("/auth/stop-impersonating", {}, headers={"cookie": line})

    assert stopped.status == 204


async def test_another_site_cannot_stop_it(world: World) -> None:
    browser = browser_of(world)
    await acting(world, browser)
    browser.headers = {"origin": "https://evil.example.org", "sec-fetch-site": "cross-site"}

    assert (await browser.post("/auth/stop-impersonating", {})).status == 403


async def test_a_client_with_bearer_tokens_has_its_own_session(world: World) -> None:
    pair = await login(world.auth, "owner@example.com")
    headers = {"authorization": f"Bearer {pair.access_token}", "auth-transport": "bearer"}
    answer = await world.client.post(f"/auth/users/{world.users['user'].id}/impersonate", {}, headers=headers)
    assert answer.all("set-cookie") == []
    acting_headers = {"authorization": f"Bearer {answer.json['access_token']}", "auth-transport": "bearer"}

    stopped = await world.client.post("/auth/stop-impersonating", {}, headers=acting_headers)

    assert (stopped.status, stopped.body) == (204, b"")
    assert (await world.client.get("/auth/me", headers=headers)).status == 200
