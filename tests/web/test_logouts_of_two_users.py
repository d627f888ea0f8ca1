"""A logout by a browser with several cookies of ours, such as those of two users: it ends and clears them all."""

import pytest

from asgi_auth import AuthMiddleware
from tests.browsers import ACCOUNT
from tests.support import call, http_scope, who
from tests.web.widened import DOMAIN, DOMAIN_REFRESH, EVE, Widened, deleted, entered, line


async def test_a_logout_clears_every_cookie_of_the_browser(widened: Widened) -> None:
    old = await entered(widened.before)
    widened.clock.move(5)
    new = await entered(widened.now)

    answer = await widened.seen(old, new, method="POST", path="/auth/logout")

    names = {(name, domain) for name in (DOMAIN, DOMAIN_REFRESH) for domain in ("", "eu.example.com", "example.com")}
    assert (answer.status, deleted(answer) >= names) == (204, True)
    assert (await widened.seen(new)).json["error"] == "token_revoked"


@pytest.mark.parametrize("kind", ["two of each", "refresh alone", "one of each", "too many"])
async def test_a_logout_ends_the_logins_of_two_users_and_clears_the_cookies_of_both(
    widened: Widened, kind: str
) -> None:
    first, eve = await entered(widened.before), await entered(widened.now, EVE)
    jars = {
        "two of each": [first, eve],
        "refresh alone": [{DOMAIN_REFRESH: jar[DOMAIN_REFRESH]} for jar in (first, eve)],
        "one of each": [{DOMAIN: first[DOMAIN], DOMAIN_REFRESH: eve[DOMAIN_REFRESH]}],
        "too many": [first, eve, *({DOMAIN: f"x{number}"} for number in range(8))],
    }[kind]
    assert (await widened.seen(*jars, path="/auth/me")).status == 400

    answer = await widened.seen(*jars, method="POST", path="/auth/logout")

    names = {(name, domain) for name in (DOMAIN, DOMAIN_REFRESH) for domain in ("", "eu.example.com", "example.com")}
    assert (answer.status, answer.body) == (204, b"")
    assert deleted(answer) >= names
    for jar in (first, eve):
        assert (await widened.seen(jar)).json["error"] == "token_revoked"
    # A foreign cookie alone is no login, and breaks none.
    assert (await widened.seen(method="POST", path="/auth/login", body=ACCOUNT)).status == 200


async def test_a_logout_of_two_users_leaves_a_cookie_with_a_foreign_value(widened: Widened) -> None:
    jars = await entered(widened.before), await entered(widened.now, EVE), {DOMAIN: "foreign"}

    answer = await widened.seen(*jars, method="POST", path="/auth/logout")

    assert answer.status == 204
    assert {name for name, _ in deleted(answer)} == {DOMAIN_REFRESH}
    assert (await widened.seen(*jars, method="POST", path="/auth/login", body=ACCOUNT)).status == 200


async def test_another_site_ends_no_login_of_two_users(widened: Widened) -> None:
    jars = await entered(widened.before), await entered(widened.now, EVE)
    scope = http_scope("POST", "/auth/logout")
    headers = line(*jars) | {"sec-fetch-site": "cross-site", "origin": "https://evil.example.org"}
    scope["headers"] = [(name.encode(), value.encode()) for name, value in headers.items()]

    answer = await call(AuthMiddleware(who, widened.now, mount="/auth"), scope, b"")

    assert (answer.status, answer.all("set-cookie")) == (403, [])
    assert (await widened.seen(jars[1])).json["id"]
