"""What the middleware refuses before a page is asked: a page for people, a problem for clients."""

import pytest

from asgi_auth import Auth, AuthMiddleware
from tests.support import Client, who


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"cookie": "x=" + "y" * 70_000}, 400),
        ("GET", {"cookie": "; ".join(f"__Host-auth={n}" for n in range(9))}, 400),
        ("POST", {"cookie": "__Host-auth=a", "sec-fetch-site": "cross-site"}, 403),
    ],
)
async def test_what_the_middleware_refuses_is_a_page_for_people_and_a_problem_for_clients(
    auth: Auth, method: str, headers: dict[str, str], status: int
) -> None:
    client = Client(AuthMiddleware(who, auth, mount="/auth"))
    form = {"content-type": "application/x-www-form-urlencoded"} if method == "POST" else {}
    browser = {"accept": "text/html", **form, **headers}

    page = await client.request(method, "/auth/login", headers=browser)
    asked = await client.request(method, "/auth/me", headers=headers)
    hosts = await client.request(method, "/elsewhere", headers=browser)

    assert (page.status, page.header("content-type")) == (status, "text/html; charset=utf-8")
    assert b"<h1>" in page.body
    assert (asked.status, asked.header("content-type")) == (status, "application/problem+json")
    # Pages of the host need no login, so that cookies which cannot be used do not break them.
    assert hosts.status == (200 if status == 400 else status)
