"""Impersonation in a browser: the administrator's own session is parked, out of reach, and comes back stale."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from asgi_auth.sessions.second_factors import SECOND_FACTOR_AT
from tests.features.impersonating import ACCESS, BROWSER, PARKED, REFRESH, Browser, World, a_browser, impersonating
from tests.support import Answer, Client


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with impersonating() as made:
        yield made


@pytest.fixture
async def browser(world: World) -> Browser:
    made = a_browser(world)
    await made.log_in("helper")
    return made


def line_of(answer: Answer, name: str) -> str:
    """Return the line that sets a cookie."""
    return next(line for line in answer.all("set-cookie") if line.startswith(f"{name}="))


async def test_the_refresh_token_is_parked_no_longer_than_the_impersonation(world: World, browser: Browser) -> None:
    own = browser.client.cookies[REFRESH]

    answer = await browser.impersonate("user")

    assert answer.status == 200
    assert answer.json["token_type"] == "Cookie"
    assert "access_token" not in answer.json
    assert browser.client.cookies[PARKED] == own
    assert REFRESH not in browser.client.cookies
    assert "Max-Age=0" in line_of(answer, REFRESH)
    parked = line_of(answer, PARKED)
    assert all(part in parked for part in ("; Max-Age=3600;", "HttpOnly", "SameSite=Strict", "Secure", "Path=/"))
    assert await browser.id_seen() == world.users["user"].id


async def test_the_parked_session_comes_back_and_is_no_fresh_login(world: World, browser: Browser) -> None:
    own = (await world.identity(browser.client.cookies[ACCESS])).session_id
    await browser.impersonate("user")
    acting = browser.client.cookies[ACCESS]

    answer = await browser.post("/stop-impersonating")

    assert (answer.status, answer.json["token_type"]) == (200, "Cookie")
    assert PARKED not in browser.client.cookies
    identity = await world.identity(browser.client.cookies[ACCESS])
    assert (identity.id, identity.session_id, identity.auth_time) == (world.users["helper"].id, own, 0)
    assert await world.id_of(acting) == "token_revoked"
    again = await browser.impersonate("user")
    assert (again.status, again.json["code"]) == (401, "fresh_login_required")
    # Nor is the second factor a fresh one: a password alone does not make up for it.
    session = await world.auth.storage.session(own)
    assert session is not None
    assert session.data[SECOND_FACTOR_AT] == 0


async def test_the_tokens_never_go_into_a_body(world: World, browser: Browser) -> None:
    await browser.impersonate("user")
    headers = {**BROWSER, "auth-transport": "bearer"}

    answer = await browser.client.post("/auth/stop-impersonating", {}, headers=headers)

    assert answer.json["token_type"] == "Cookie"
    assert await browser.id_seen() == world.users["helper"].id


async def test_the_parked_session_is_out_of_reach(browser: Browser) -> None:
    await browser.impersonate("user")

    for method, path in (("POST", "/auth/refresh"), ("POST", "/auth/change-password"), ("GET", "/auth/me/export")):
        body: dict[str, str] | None = {} if method == "POST" else None
        refused = await browser.client.request(method, path, json_body=body, headers=BROWSER)
        assert (refused.status, refused.json["code"]) == (403, "impersonated")
    assert (await browser.client.get("/auth/me")).json["email"] == "user@example.com"
    # Without the cookie of the acting session the parked one opens nothing.
    browser.client.cookies.pop(ACCESS)
    assert await browser.id_seen() == ""
    assert (await browser.post("/stop-impersonating")).status == 401
    assert (await browser.post("/refresh")).status in {401, 422}


@pytest.mark.parametrize("path", ["/logout", "/login"])
async def test_a_login_and_a_logout_clear_and_end_the_parked_session(world: World, browser: Browser, path: str) -> None:
    await browser.impersonate("user")
    parked, acting = browser.client.cookies[PARKED], browser.client.cookies[ACCESS]

    if path == "/login":
        assert (await browser.log_in("editor")).status == 200
        assert await browser.id_seen() == world.users["editor"].id
    else:
        assert (await browser.post(path)).status == 204
        assert await browser.id_seen() == ""

    assert PARKED not in browser.client.cookies
    assert await world.id_of(acting) == "token_revoked"
    session = await world.auth.session_of(parked)
    assert session is not None
    assert session.revoked_at is not None


async def test_another_visitor_of_a_shared_browser_does_not_become_the_administrator(
    world: World, browser: Browser
) -> None:
    await browser.impersonate("user")
    parked = browser.client.cookies[PARKED]
    await browser.post("/logout")
    await browser.log_in("editor")
    browser.client.cookies[PARKED] = parked

    answer = await browser.post("/stop-impersonating")

    assert (answer.status, answer.json["code"]) == (403, "forbidden")
    assert await browser.id_seen() == world.users["editor"].id


@pytest.mark.parametrize("whose", ["owner", "helper", "nobody"])
async def test_only_the_session_that_began_it_is_taken(world: World, browser: Browser, whose: str) -> None:
    await browser.impersonate("user")
    other = await world.pair(whose) if whose != "nobody" else None
    browser.client.cookies[PARKED] = other.refresh_token if other is not None else "forged"

    answer = await browser.post("/stop-impersonating")

    assert answer.status == 204
    assert await browser.id_seen() == ""
    assert not {ACCESS, REFRESH, PARKED} & browser.client.cookies.keys()


async def test_a_parked_session_that_has_ended_logs_out(world: World, browser: Browser) -> None:
    own = (await world.identity(browser.client.cookies[ACCESS])).session_id
    await browser.impersonate("user")
    await world.auth.storage.end_sessions(world.users["helper"].id, int(world.clock()), only=own)

    # The session that the administrator began has ended with it.
    assert (await browser.post("/stop-impersonating")).status == 401
    assert await browser.id_seen() == ""


async def test_a_late_answer_does_not_delete_the_session_that_came_back(world: World, browser: Browser) -> None:
    await browser.impersonate("user")
    late = Client(world.client.app, cookies=dict(browser.client.cookies))

    answers = await asyncio.gather(browser.post("/stop-impersonating"), *(late.get("/") for _ in range(4)))
    after = await late.get("/")

    assert answers[0].status == 200
    assert after.json["error"] == "token_revoked"
    assert all(not answer.all("set-cookie") for answer in (*answers[1:], after))
    assert await browser.id_seen() == world.users["helper"].id
