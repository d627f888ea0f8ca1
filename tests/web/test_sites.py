"""Browsers and sites: a login whose cookies a browser would drop is refused, and a logout clears the site's data."""

from typing import Any

import pytest

from asgi_auth import Auth, AuthApp, AuthMiddleware, Pages
from tests.browsers import ACCOUNT
from tests.pages.flows import all_features
from tests.support import EMAIL, PASSWORD, Client, bearer, login, make_auth, register, who

LOCAL: dict[str, Any] = {"base_url": "http://127.0.0.1:8000", "development": True}
PAGE = "http://localhost:3000"
COOKIE = {"auth-transport": "cookie"}
CLEAR = '"cache", "storage"'


async def cookie_login(auth: Auth, **headers: str) -> tuple[int, str]:
    await register(auth)
    given = COOKIE | {name.replace("_", "-"): value for name, value in headers.items()}
    answer = await Client(AuthApp(auth)).post("/login", ACCOUNT, headers=given)
    return answer.status, answer.json.get("detail", "")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": PAGE, "sec_fetch_site": "cross-site", "sec_fetch_mode": "cors"},
        {"origin": PAGE, "sec_fetch_site": "cross-site"},
        {"origin": PAGE},
    ],
    ids=str,
)
async def test_a_login_whose_cookies_the_browser_drops_is_refused_with_the_reason(headers: dict[str, str]) -> None:
    auth = make_auth(**LOCAL, trusted_origins=[PAGE], cors_origins=[PAGE])

    status, detail = await cookie_login(auth, **headers)

    assert status == 403
    assert PAGE in detail
    assert "http://127.0.0.1:8000" in detail
    assert "drop the cookies" in detail


@pytest.mark.parametrize(
    ("base_url", "origin", "status"),
    [
        ("https://app.example.com", "https://spa.example.com", 200),
        ("https://app.example.com", "https://spa.example.net", 403),
        ("https://app.example.co.uk", "https://spa.other.co.uk", 403),
        ("https://app.example.com", "capacitor://localhost", 403),
        ("https://app.example.com", "http://localhost", 403),
        (None, "https://spa.example.com", 200),
        (None, "https://spa.example.net", 403),
    ],
)
async def test_the_site_decides_where_a_browser_sends_no_metadata(
    base_url: str | None, origin: str, status: int
) -> None:
    auth = make_auth(base_url=base_url, trusted_origins=[origin])

    assert (await cookie_login(auth, origin=origin))[0] == status


async def test_a_form_is_a_navigation_and_keeps_its_cookies() -> None:
    auth = make_auth(base_url="https://app.example.com", trusted_origins=["https://spa.example.net"])
    headers = {"origin": "https://spa.example.net", "sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}

    assert (await cookie_login(auth, **headers))[0] == 200


async def test_bearer_tokens_need_no_site() -> None:
    auth = make_auth(**LOCAL, trusted_origins=[PAGE], cors_origins=[PAGE])
    await register(auth)

    answer = await Client(AuthApp(auth)).post(
        "/login", ACCOUNT, headers={"origin": PAGE, "sec-fetch-site": "cross-site"}
    )

    assert answer.status == 200


@pytest.mark.parametrize("path", ["logout", "logout-all", "close-account"])
@pytest.mark.parametrize("page", [True, False])
async def test_the_end_of_a_session_with_cookies_clears_the_data_of_the_site(path: str, *, page: bool) -> None:
    """ASVS 14.3.1. Cookies of others stay: only those of the session are deleted."""
    auth = make_auth(mailer=print, features=all_features(Pages()))
    await register(auth)
    client = Client(AuthMiddleware(who, auth, mount="/auth"), {"sec-fetch-site": "same-origin"}, keep_cookies=True)
    entered = await client.post("/auth/login", ACCOUNT, headers=COOKIE)
    form = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded"}
    password = {"password": PASSWORD} if path == "close-account" else {}

    if page:
        body = f"password={PASSWORD.replace(' ', '+')}".encode() if password else b""
        left = await client.post(f"/auth/{path}", body=body, headers=form)
    else:
        left = await client.post(f"/auth/{path}", password)

    assert entered.header("clear-site-data") is None
    assert left.status in {200, 204, 303}
    assert left.all("clear-site-data") == [CLEAR]
    assert "cookies" not in CLEAR


async def test_other_answers_clear_nothing() -> None:
    auth = make_auth()
    await register(auth)
    client = Client(AuthApp(auth))

    by_bearer = await client.post("/logout", headers=bearer(await login(auth)))
    stale = await client.get("/me", headers={"cookie": "__Host-auth=x"})

    assert [item.header("clear-site-data") for item in (by_bearer, stale)] == [None, None]


async def test_clearing_can_be_switched_off() -> None:
    auth = make_auth(clear_site_data=())
    await register(auth, EMAIL)
    client = Client(AuthApp(auth), {"sec-fetch-site": "same-origin"}, keep_cookies=True)
    await client.post("/login", ACCOUNT, headers=COOKIE)

    left = await client.post("/logout")

    assert (left.status, left.header("clear-site-data")) == (204, None)
    with pytest.raises(ValueError, match="clear_site_data"):
        make_auth(clear_site_data=["cookies"])
