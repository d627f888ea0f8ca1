"""What the middleware refuses before a page is asked: a page for people, a problem for clients."""

import pytest

from asgi_auth import Auth, AuthMiddleware, Pages
from tests.browsers import ACCESS, ACCOUNT, COOKIE, REFRESH
from tests.pages.surfer import VISITOR, Page
from tests.support import PASSWORD, Client, cheap, make_auth, register, who


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


async def test_a_browser_with_the_cookies_of_two_users_logs_out_by_a_button() -> None:
    async with make_auth(features=[*cheap(), Pages()]) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        jars = []
        for email in (ACCOUNT["email"], "eve@example.com"):
            await register(auth, email)
            body = {"email": email, "password": PASSWORD}
            jars.append((await client.post("/auth/login", body, headers=COOKIE)).cookies)
        cookie = f"{ACCESS}={jars[0][ACCESS]}; {REFRESH}={jars[1][REFRESH]}"

        page = Page(await client.get("/auth/account", headers={**VISITOR, "cookie": cookie}), "/auth/account")
        [form] = page.forms
        sent = {**VISITOR, "cookie": cookie, "content-type": "application/x-www-form-urlencoded"}
        answer = await client.post(form.action, body=b"", headers=sent)

        assert (page.status, "do not fit together" in page.text) == (400, True)
        assert (answer.status, answer.cookies) == (303, {ACCESS: "", REFRESH: ""})
        assert answer.header("location") == "./login?said=logged_out"
        users = [await auth.users.by_email(email) for email in (ACCOUNT["email"], "eve@example.com")]
        sessions = [await auth.storage.sessions(user.id, 0, 0) for user in users]
        assert sessions == [[], []]
