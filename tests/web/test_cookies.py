"""Cookie mode: attributes, silent renewal, and no unsafe request from another site."""

from typing import Any

import pytest

from asgi_auth import Auth, AuthApp, Passwords
from asgi_auth.crypto.argon2 import Argon2
from tests.browsers import ACCESS, ACCOUNT, COOKIE, DEVICE, REFRESH, browser_of
from tests.support import EMAIL, ORIGIN, PASSWORD, Client, Clock, bearer, login, make_auth, register


def without(browser: Client, **headers: str) -> Client:
    """The same browser, with only these headers."""
    return Client(browser.app, headers, browser.cookies)


async def test_the_tokens_stand_in_cookies_and_never_in_the_body(auth: Auth) -> None:
    await register(auth)

    answer = await browser_of(auth).post("/auth/login", ACCOUNT)

    assert answer.json == {"token_type": "Cookie", "expires_in": 900, "refresh_expires_in": 14 * 86400}
    lifetimes = {ACCESS: 900, REFRESH: 14 * 86400, DEVICE: 400 * 86400}
    for line, (name, seconds) in zip(answer.all("set-cookie"), lifetimes.items(), strict=True):
        pair, *attributes = line.split("; ")
        assert pair.startswith(f"{name}=")
        assert attributes == [f"Max-Age={seconds}", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"]


async def test_a_registration_that_logs_in_keeps_the_tokens_out_of_the_body_too() -> None:
    async with make_auth(passwords={"login_after_register": True}) as auth:
        by_cookie = await browser_of(auth).post("/auth/register", ACCOUNT)
        in_body = await Client(AuthApp(auth)).post("/register", ACCOUNT | {"email": "eve@example.com"})

    assert by_cookie.json["tokens"].keys() == {"token_type", "expires_in", "refresh_expires_in"}
    assert by_cookie.cookies.keys() == {ACCESS, REFRESH, DEVICE}
    assert in_body.json["tokens"]["access_token"]
    assert in_body.cookies == {}


async def test_settings_decide_about_name_prefix_and_attributes() -> None:
    async with make_auth(
        development=True,
        base_url="http://127.0.0.1:8000",
        cookie_name="me",
        cookie_same_site="strict",
        transport="cookie",
    ) as auth:
        await register(auth)
        answer = await Client(AuthApp(auth), {"sec-fetch-site": "same-origin"}).post("/login", ACCOUNT)

    assert answer.cookies.keys() == {"me", "me-refresh", "me-device"}
    assert all(line.endswith("; Path=/; HttpOnly; SameSite=Strict") for line in answer.all("set-cookie"))


async def test_a_domain_is_set_and_cleared_alike_and_changes_the_prefix() -> None:
    async with make_auth(cookie_domain="example.com") as auth:
        await register(auth)
        browser = browser_of(auth)
        entered = await browser.post("/auth/login", ACCOUNT)
        inside = await browser.get("/")
        left = await browser.post("/auth/logout")

    assert left.cookies.keys() == {"__Secure-auth", "__Secure-auth-refresh"}
    assert entered.cookies.keys() == {*left.cookies, "__Secure-auth-device"}
    for line in (*entered.all("set-cookie"), *left.all("set-cookie")):
        assert line.endswith("; Path=/; HttpOnly; SameSite=Lax; Domain=example.com; Secure")
    assert inside.json["transport"] == "cookie"
    assert browser.cookies.keys() == {"__Secure-auth-device"}


async def test_an_oauth_client_gets_tokens_in_the_body_whatever_it_asks_for(auth: Auth) -> None:
    await register(auth)
    form = f"grant_type=password&username={EMAIL}&password=correct+horse+battery".encode()
    headers = COOKIE | {"content-type": "application/x-www-form-urlencoded"}

    answer = await Client(AuthApp(auth)).post("/token", body=form, headers=headers)

    assert (answer.json["token_type"], answer.cookies) == ("Bearer", {})


async def test_a_bearer_client_needs_no_origin_where_cookies_are_the_default() -> None:
    async with make_auth(transport="cookie") as auth:
        await register(auth)
        headers = bearer(await login(auth))
        client = Client(AuthApp(auth))

        assert (await client.post("/login", ACCOUNT)).json["code"] == "cross_site_request"
        assert (await client.post("/logout", headers=headers)).status == 204


async def test_refreshing_by_the_route_takes_the_cookie_and_answers_in_cookies(browser: Client, clock: Clock) -> None:
    old = browser.cookies[REFRESH]
    clock.move(1000)

    answer = await browser.post("/auth/refresh")

    assert answer.json.keys() == {"token_type", "expires_in", "refresh_expires_in"}
    assert browser.cookies[REFRESH] not in {"", old}


SITES: list[tuple[dict[str, str], bool]] = [
    ({"sec-fetch-site": "same-origin"}, True),
    ({"sec-fetch-site": "none"}, True),
    ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
    ({"origin": ORIGIN}, True),
    ({"sec-fetch-site": "cross-site", "origin": "https://partner.example.com"}, True),
    ({"sec-fetch-site": "same-site"}, False),
    ({"sec-fetch-site": "same-site", "origin": ORIGIN}, False),
    ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, False),
    ({"sec-fetch-site": ""}, False),
    ({"sec-fetch-site": "Same-Origin"}, False),
    ({}, False),
    ({"origin": "null"}, False),
    ({"origin": ""}, False),
    ({"origin": "https://evil.example"}, False),
    ({"origin": "http://app.example.com"}, False),
    ({"origin": "https://app.example.com:8443"}, False),
    ({"origin": "https://app.example.com.evil.example"}, False),
    ({"origin": "https://evil.example/https://app.example.com"}, False),
    ({"referer": ORIGIN + "/"}, False),
]


@pytest.mark.parametrize(("headers", "good"), SITES, ids=str)
async def test_unsafe_requests_with_cookies_come_from_our_pages_only(headers: dict[str, str], *, good: bool) -> None:
    async with make_auth(trusted_origins=["https://partner.example.com"]) as auth:
        await register(auth)
        browser = browser_of(auth)
        await browser.post("/auth/login", ACCOUNT)
        page = without(browser, **headers)

        on_the_host = [(await page.request(method, "/")).status for method in ("POST", "PUT", "PATCH", "DELETE", "X")]
        safe = [(await page.request(method, "/")).status for method in ("GET", "HEAD", "OPTIONS")]
        on_ours = await page.post("/auth/logout-all")

        assert on_the_host == [200 if good else 403] * 5
        assert safe == [200] * 3
        assert on_ours.status == (200 if good else 403)
        assert good or on_ours.json["code"] == "cross_site_request"


@pytest.mark.parametrize(("headers", "good"), [
    ({"origin": "https://app.example.com"}, True),
    ({"origin": "http://app.example.com"}, True),
    ({"origin": "https://evil.example"}, False),
    ({"origin": "https://app.example.com@evil.example"}, False),
    ({"origin": "https://["}, False),
    ({"origin": "null"}, False),
    ({"origin": "app.example.com"}, False),
    ({}, False),
])  # fmt: skip
async def test_without_a_base_url_the_origin_names_the_host_that_was_asked(
    headers: dict[str, str], *, good: bool
) -> None:
    async with make_auth(base_url=None) as auth:
        await register(auth)
        browser = browser_of(auth)
        await browser.post("/auth/login", ACCOUNT)

        answer = await without(browser, **headers).post("/")

        assert answer.status == (200 if good else 403)


async def test_a_doubled_origin_is_refused(browser: Client) -> None:
    answer = await without(browser).post("/", headers=[("origin", ORIGIN)] * 2)

    assert answer.status == 400


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
async def test_no_other_site_logs_a_browser_in(auth: Auth, headers: dict[str, str]) -> None:
    await register(auth)

    answer = await Client(AuthApp(auth), {"auth-transport": "cookie"} | headers).post("/login", ACCOUNT)

    assert (answer.status, answer.json["code"], answer.cookies) == (403, "cross_site_request", {})


async def test_a_refresh_cookie_alone_is_checked_for_its_origin_too(browser: Client) -> None:
    del browser.cookies[ACCESS]

    for client in (without(browser), Client(browser.app, bearer("x.y.z"), browser.cookies)):
        assert (await client.post("/auth/refresh")).status == 403


async def test_a_bearer_token_needs_no_origin(auth: Auth, browser: Client) -> None:
    headers = bearer(await login(auth))

    assert (await Client(browser.app, headers, {}).post("/")).status == 200


async def test_logout_clears_both_cookies_by_their_attributes_and_ends_the_session(browser: Client) -> None:
    copy = dict(browser.cookies)

    answer = await browser.post("/auth/logout")

    assert answer.status == 204
    assert answer.all("set-cookie") == [
        f"{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure" for name in (ACCESS, REFRESH)
    ]
    stolen = await Client(browser.app, COOKIE, copy).get("/")
    assert (stolen.json["id"], stolen.json["error"]) == ("", "token_revoked")
    assert stolen.cookies == {ACCESS: "", REFRESH: ""}


@pytest.mark.parametrize("path", ["/auth/logout", "/auth/logout-all"])
async def test_logging_out_with_an_expired_access_cookie_ends_the_session(
    browser: Client, clock: Clock, path: str
) -> None:
    clock.move(1000)
    copy = dict(browser.cookies)

    answer = await browser.post(path)

    assert answer.status in {200, 204}
    assert browser.cookies.keys() == {DEVICE}
    assert (await Client(browser.app, COOKIE, copy).get("/")).json["id"] == ""


async def test_a_new_login_ends_the_session_the_browser_came_with(auth: Auth, browser: Client) -> None:
    await register(auth, "eve@example.com")
    copy = dict(browser.cookies)

    answer = await browser.post("/auth/login", {"email": "eve@example.com", "password": PASSWORD})

    assert answer.status == 200
    assert (await Client(browser.app, COOKIE, copy).get("/")).json["error"] == "token_revoked"
    assert (await browser.get("/")).json["transport"] == "cookie"


async def test_a_bearer_login_ends_no_other_session(auth: Auth) -> None:
    await register(auth)
    first = await login(auth)

    await Client(AuthApp(auth), bearer(first)).post("/login", ACCOUNT)

    assert (await auth.authenticate(str(first.access_token))).is_authenticated


async def test_claims_that_do_not_fit_into_a_cookie_are_a_clear_error(caplog: pytest.LogCaptureFixture) -> None:
    claims: dict[str, Any] = {"x": "x" * 4000}
    async with make_auth(features=[Passwords(argon2=Argon2.cheap())], claims=lambda _: claims) as auth:
        await register(auth)

        answer = await browser_of(auth).post("/auth/login", ACCOUNT)

    assert (answer.status, answer.cookies) == (500, {})
    assert "over 4096 bytes; add fewer claims" in caplog.text
