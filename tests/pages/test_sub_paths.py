"""An app below a path: every redirect, and the logo, stay below it."""

from typing import Any
from urllib.parse import urljoin

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from asgi_auth import Auth, AuthApp, AuthMiddleware, Pages
from tests.pages.flows import all_features
from tests.support import EMAIL, PASSWORD, Answer, Client, make_auth, register, who

BROWSER = {
    "accept": "text/html",
    "content-type": "application/x-www-form-urlencoded",
    "sec-fetch-site": "same-origin",
    "origin": "https://app.example.com",
}
FORM = f"email={EMAIL}&password={PASSWORD.replace(' ', '+')}"


def make(base_url: str | None = None, **options: Any) -> Auth:
    return make_auth(mailer=print, features=all_features(Pages(**options)), base_url=base_url)


def wrapped(auth: Auth) -> ASGIApp:
    return AuthMiddleware(who, auth, mount="/auth")


def mounted(auth: Auth) -> ASGIApp:
    return Starlette(routes=[Mount("/auth", AuthApp(auth))])


def below(auth: Auth) -> ASGIApp:
    """A host that has mounted a whole app with its middleware."""
    return Starlette(routes=[Mount("/app", wrapped(auth))])


#: How an app is served, the base URL, the path that the server sees, and its root_path.
SERVED = {
    "a proxy that removes the path": (wrapped, "https://example.com/app", "/auth/login", ""),
    "a proxy that keeps it": (wrapped, "https://example.com/app/", "/app/auth/login", "/app"),
    "a root_path": (wrapped, None, "/app/auth/login", "/app"),
    "a root_path that is not in the path": (wrapped, None, "/auth/login", "/app"),
    "routes that the host mounts": (mounted, None, "/app/auth/login", "/app"),
    "routes that the host mounts, by a base URL": (mounted, "https://example.com/app", "/auth/login", ""),
    "an app that a host mounts": (below, None, "/app/auth/login", ""),
}


async def posted(app: ASGIApp, path: str, root: str, more: str = "") -> Answer:
    client = Client(app, BROWSER)
    return await client.post(path, body=(FORM + more).encode(), scope={"root_path": root})


@pytest.mark.parametrize("how", SERVED)
@pytest.mark.parametrize(
    ("after", "following", "expected"),
    [
        ("/", "", "/app/"),
        ("/home?x=1#y", "", "/app/home?x=1#y"),
        ("/app/home", "", "/app/home"),
        ("/application", "", "/app/application"),
        ("/", "/inside", "/app/inside"),
        ("/", "/app/inside?tab=2", "/app/inside?tab=2"),
        ("/", "/app", "/app"),
        ("/", "/app/../outside", "/app/"),
        ("/", "/app/%2e%2e/outside", "/app/"),
        ("/", "//evil.example", "/app/"),
    ],
)
async def test_a_login_stays_below_the_path(how: str, after: str, following: str, expected: str) -> None:
    host, base_url, path, root = SERVED[how]
    auth = make(base_url, after_login=after)
    await register(auth)

    answer = await posted(host(auth), path, root, f"&next={following}" if following else "")

    assert answer.status == 303
    assert answer.header("location") == expected


@pytest.mark.parametrize("how", SERVED)
async def test_the_logo_stays_below_the_path(how: str) -> None:
    host, base_url, path, root = SERVED[how]

    answer = await Client(host(make(base_url, logo="/logo.svg")), BROWSER).get(path, scope={"root_path": root})

    assert b'<img src="/app/logo.svg"' in answer.body


@pytest.mark.parametrize("how", [name for name in SERVED if SERVED[name][0] is wrapped])
async def test_the_redirects_of_the_middleware_stay_below_the_path(how: str) -> None:
    _, base_url, path, root = SERVED[how]
    prefix = path.removesuffix("/auth/login")
    auth = make(base_url)
    client = Client(AuthMiddleware(who, auth, mount="/auth", required=True), {"accept": "text/html"})

    to_login = await client.get(f"{prefix}/secret", scope={"root_path": root, "query_string": b"tab=2"})
    to_change = await client.get(f"{prefix}/.well-known/change-password", scope={"root_path": root})

    assert to_login.header("location") == "/app/auth/login?next=%2Fapp%2Fsecret%3Ftab%3D2&said=login_needed"
    assert to_change.header("location") == "/app/auth/account#change-password"


async def test_without_a_path_nothing_changes() -> None:
    auth = make(
        "https://app.example.com", logo="https://cdn.example/logo.svg", next_allowed=["https://shop.example/in"]
    )
    await register(auth)

    answer = await posted(wrapped(auth), "/auth/login", "", "&next=https://shop.example/in")
    page = await Client(wrapped(auth), BROWSER).get("/auth/login")

    assert answer.header("location") == "https://shop.example/in"
    assert b'<img src="https://cdn.example/logo.svg"' in page.body


async def test_a_closed_account_leads_to_a_page_below_the_path() -> None:
    """Pages are linked relatively."""
    auth = make("https://example.com/app")
    await register(auth)
    client = Client(wrapped(auth), BROWSER, keep_cookies=True)
    await client.post("/auth/login", body=FORM.encode())

    answer = await client.post("/auth/close-account", body=f"password={PASSWORD.replace(' ', '+')}".encode())

    there = urljoin("https://example.com/app/auth/close-account", answer.header("location"))
    assert there.startswith("https://example.com/app/auth/login?")
