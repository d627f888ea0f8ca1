"""Cookies of the same names that are not the right ones: of another installation, of an earlier setting, cut, ended."""

from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.crypto.keys import SigningKey
from tests.browsers import ACCESS, ACCOUNT, COOKIE, REFRESH
from tests.support import Answer, Client, bearer, login, make_auth, register, who
from tests.web.widened import DOMAIN, DOMAIN_REFRESH, EVE, Widened, deleted, entered, line

PEM = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
NEW_KEY = [SigningKey.from_pem(PEM, "EdDSA", kid="new")]
OTHER_SECRET = "Zq8-vLm3_xW7bNc5KdR2pYt9sHf4gJa6eUo1iQwE0r"


def app(auth: Auth) -> Client:
    return Client(AuthMiddleware(who, auth, mount="/auth"), COOKIE)


async def seen(auth: Auth, *jars: dict[str, str], method: str = "GET", path: str = "/") -> Answer:
    return await app(auth).request(method, path, headers=line(*jars))


@pytest.mark.parametrize(
    "cookies", [{ACCESS: "x"}, {REFRESH: "x"}, {ACCESS: "x", REFRESH: "x"}, {ACCESS: "", REFRESH: ""}]
)
async def test_cookies_that_no_key_of_ours_made_are_left_alone(auth: Auth, cookies: dict[str, str]) -> None:
    answer = await seen(auth, cookies)

    assert (answer.json["id"], answer.json["error"]) == ("", "invalid_token")
    assert answer.all("set-cookie") == []


@pytest.mark.parametrize("there", [{}, {"issuer": "staging"}, {"signing_keys": NEW_KEY}], ids=str)
@pytest.mark.parametrize("path", ["/", "/auth/me", "/auth/logout"])
async def test_the_cookies_of_another_installation_are_never_deleted(there: dict[str, Any], path: str) -> None:
    async with make_auth(cookie_domain="example.com") as production:
        await register(production)
        jar = await entered(production)
        settings = make_auth(cookie_domain="example.com", **there).settings
        async with Auth("sqlite://", secret=OTHER_SECRET, settings=settings) as staging:
            for method in ("GET", "POST"):
                assert (await seen(staging, jar, method=method, path=path)).all("set-cookie") == []

        assert (await seen(production, jar)).json["id"]


@pytest.mark.parametrize("length", [0, 1, 40, -1])
async def test_a_cut_access_cookie_hides_no_refresh_cookie(auth: Auth, browser: Client, length: int) -> None:
    jar = browser.cookies | {ACCESS: browser.cookies[ACCESS][:length]}

    answer = await seen(auth, jar)

    assert answer.json["id"]
    assert answer.cookies.keys() == {ACCESS, REFRESH}
    assert (await seen(auth, answer.cookies)).json["id"] == answer.json["id"]


@pytest.mark.parametrize(
    "changed", [{"issuer": "https://app.example.com"}, {"audience": "app"}, {"signing_keys": NEW_KEY}]
)
async def test_a_changed_setting_logs_no_browser_out(fresh: Callable[[str], str], changed: dict[str, Any]) -> None:
    url = fresh("sqlite")
    async with make_auth(url) as before, make_auth(url, **changed) as after:
        user_id = await register(before)
        jar = await entered(before)

        answer = await seen(after, jar)

        assert answer.json["id"] == user_id
        assert (await seen(after, jar | answer.cookies)).json["id"] == user_id


async def test_an_ended_session_is_cleared_but_the_foreign_cookie_beside_it_is_not(auth: Auth, browser: Client) -> None:
    jar = dict(browser.cookies)
    await auth.end_sessions((await seen(auth, jar)).json["id"])

    both = await seen(auth, jar)
    half = await seen(auth, jar | {ACCESS: "foreign"})

    assert (both.json["error"], both.cookies) == ("token_revoked", {ACCESS: "", REFRESH: ""})
    assert (half.json["error"], half.cookies) == ("token_revoked", {REFRESH: ""})


@pytest.mark.parametrize("order", [1, -1])
async def test_of_two_logins_of_a_user_the_newer_is_taken_and_the_older_cleared(widened: Widened, order: int) -> None:
    old = await entered(widened.before)
    widened.clock.move(5)
    new = await entered(widened.now)
    jars = [old, new][::order]

    page = await widened.seen(*jars)
    me = await widened.seen(*jars, path="/auth/me")
    again = await widened.seen(*jars, method="POST", path="/auth/login", body=ACCOUNT)

    assert (page.status, me.status, again.status) == (200, 200, 200)
    assert deleted(page) >= {(DOMAIN, "eu.example.com"), (DOMAIN_REFRESH, "eu.example.com"), (DOMAIN, "")}
    assert not any(domain == "example.com" for _, domain in deleted(page))
    assert page.cookies[DOMAIN_REFRESH] == new[DOMAIN_REFRESH]


@pytest.mark.parametrize("order", [1, -1])
async def test_an_ended_login_beside_a_live_one_is_cleared(widened: Widened, order: int) -> None:
    old = await entered(widened.before)
    await widened.now.end_sessions((await widened.seen(old)).json["id"])
    new = await entered(widened.now)

    answer = await widened.seen(*[old, new][::order])

    assert answer.json["id"]
    assert (DOMAIN_REFRESH, "eu.example.com") in deleted(answer)


@pytest.mark.parametrize("foreign", [{DOMAIN: "x"}, {DOMAIN_REFRESH: "x"}, {DOMAIN: "x", DOMAIN_REFRESH: "y"}])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("later", [0, 1000])
async def test_a_foreign_cookie_beside_ours_is_overlooked(
    widened: Widened, foreign: dict[str, str], order: int, later: int
) -> None:
    jar = await entered(widened.now)
    widened.clock.move(later)

    answer = await widened.seen(*[foreign, jar][::order])

    assert answer.json["id"]
    assert deleted(answer) == set()


async def test_an_older_access_cookie_of_the_same_session_is_cleared(widened: Widened) -> None:
    old = await entered(widened.before)
    widened.clock.move(1000)
    renewed = (await widened.seen(old)).cookies

    answer = await widened.seen(old, renewed)

    assert answer.json["id"]
    assert (DOMAIN, "eu.example.com") in deleted(answer)
    assert (await widened.seen(answer.cookies)).json["id"] == answer.json["id"]


async def test_two_users_are_refused_where_a_login_is_asked_for_and_break_no_public_page(widened: Widened) -> None:
    jars = await entered(widened.before), await entered(widened.now, EVE)

    public = await widened.seen(*jars)
    ours = [(await widened.seen(*jars, path=path)).status for path in ("/auth/me", "/auth/sessions")]
    login = await widened.seen(*jars, method="POST", path="/auth/login", body=ACCOUNT)
    refresh = await widened.seen(*jars, method="POST", path="/auth/refresh")

    assert (public.status, public.json["id"], public.json["error"]) == (200, "", "bad_request")
    assert public.all("set-cookie") == []
    assert [*ours, login.status, refresh.status] == [400] * 4


async def test_two_users_in_the_refresh_cookies_alone_are_refused_too(widened: Widened) -> None:
    jars = [
        {name: value for name, value in jar.items() if name != DOMAIN}
        for jar in (await entered(widened.before), await entered(widened.now, EVE))
    ]

    public, ours = await widened.seen(*jars), await widened.seen(*jars, path="/auth/me")
    refresh = await widened.seen(*jars, method="POST", path="/auth/refresh")

    assert (public.status, public.json["error"], ours.status, refresh.status) == (200, "bad_request", 400, 400)


@pytest.mark.parametrize("planted", [DOMAIN, DOMAIN_REFRESH])
async def test_an_access_cookie_beside_the_refresh_cookie_of_another_user_is_refused(
    widened: Widened, planted: str
) -> None:
    jar, eve = await entered(widened.now), await entered(widened.now, EVE)
    mixed = jar | {planted: eve[planted]}

    public, me = await widened.seen(mixed), await widened.seen(mixed, path="/auth/me")
    refresh = await widened.seen(mixed, method="POST", path="/auth/refresh")

    assert (public.status, public.json["id"], public.json["error"]) == (200, "", "bad_request")
    assert (me.status, refresh.status) == (400, 400)


async def test_cookies_of_two_logins_of_one_user_are_no_two_users(widened: Widened) -> None:
    old, new = await entered(widened.now), await entered(widened.now)

    assert (await widened.seen(old | {DOMAIN: new[DOMAIN]}, path="/auth/me")).status == 200


async def test_required_refuses_two_users(widened: Widened) -> None:
    jars = await entered(widened.before), await entered(widened.now, EVE)
    client = Client(AuthMiddleware(who, widened.now, required=True), COOKIE)

    assert (await client.get("/", headers=line(*jars))).status == 400


async def test_foreign_cookies_of_any_size_break_no_public_page_and_hide_no_login(auth: Auth, browser: Client) -> None:
    many = {f"track{number}": "x" * 2000 for number in range(20)}

    for jar in (many, many | {"huge": "x" * 100_000}):
        assert (await seen(auth, jar)).status == 200
    assert (await seen(auth, many | browser.cookies)).json["id"]
    assert (await seen(auth, many, path="/auth/me")).status == 401


async def test_a_logout_by_a_bearer_token_leaves_foreign_cookies_alone(auth: Auth) -> None:
    await register(auth)
    headers = line({ACCESS: "x", REFRESH: "y"}) | bearer(await login(auth))

    answer = await app(auth).post("/auth/logout", headers=headers)

    assert (answer.status, answer.all("set-cookie")) == (204, [])
