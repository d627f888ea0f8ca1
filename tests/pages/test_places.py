"""Pages find their own URLs: at any mount, behind a root_path, with a slash at the end, and in every host."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from asgi_auth import Auth, AuthApp, AuthMiddleware, Outbox, Pages
from asgi_auth.pages.links import Links
from tests.hosts.inprocess import running
from tests.hosts.test_paths import HOSTS, mounts
from tests.pages.flows import all_features
from tests.pages.surfer import Surfer
from tests.support import EMAIL, PASSWORD, make_auth, who


async def walk(surfer: Surfer, mount: str) -> None:
    """Register, log in, end up on the account page, and log out, by links and forms alone."""
    login = await surfer.get("login")
    (link,) = [link for link in login.links if link.endswith("/register")]
    page = await surfer.submit(await surfer.get(link), "/register", email=EMAIL, password=PASSWORD)
    page = await surfer.submit(page, "/login", email=EMAIL, password="wrong")
    home = await surfer.submit(page, "/login", email=EMAIL, password=PASSWORD)
    assert (home.status, home.url) == (200, f"{mount}/account")
    styles = [item["href"] for tag, item in home.tags if tag == "link"]
    assert (await surfer.get(styles[0])).answer.header("content-type") == "text/css; charset=utf-8"
    left = await surfer.submit(home, "/logout")
    assert left.url == f"{mount}/login?said=logged_out"


def made() -> Auth:
    return make_auth(features=all_features(Pages(after_login="account")), mailer=Outbox(), verification="off")


@pytest.mark.parametrize("mount", ["/auth", "/api/v1/auth"])
@pytest.mark.parametrize("form", ["wrapped", "mounted"])
@pytest.mark.parametrize("prefix", ["", "/proxy"])
async def test_at_any_mount_and_behind_a_root_path(mount: str, form: str, prefix: str) -> None:
    async with made() as auth:
        app: Any = AuthMiddleware(who, auth, mount=mount)
        if form == "mounted":
            app = AuthMiddleware(Starlette(routes=[Mount(mount, AuthApp(auth))]), auth)
        # uvicorn puts the root_path before the path, hypercorn leaves it out; with "" it isn't told at all.
        await walk(Surfer(app, mount=prefix + mount, root_path="/proxy"), prefix + mount)


async def test_below_a_page_of_two_segments_links_lead_up() -> None:
    async with made() as auth:
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))

        page = await surfer.submit(await surfer.get("magic-link"), "/magic-link", email=EMAIL)

        assert page.forms[0].action == "/auth/magic-link/login"
        assert page.links == [f"/auth/magic-link?request={page.forms[0].values['request']}", "/auth/login"]


async def test_a_slash_at_the_end_makes_no_difference() -> None:
    async with made() as auth:
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))

        assert (await surfer.get("login/")).forms[0].action == "/auth/login"
        page = await surfer.submit(await surfer.get("magic-link"), "/magic-link", email=EMAIL)
        again = await surfer.get(page.url.replace("login?", "login/?"))
        assert again.forms[0].action == "/auth/magic-link/login"


def test_the_path_that_the_browser_has_asked_for_counts() -> None:
    assert Links({"path": "/login/", "raw_path": b"/auth/login"}, "/login").to("/x") == "./x"
    assert Links({"path": "/login/", "raw_path": b"/auth/login/?a=/"}, "/login").to("/x") == "../x"
    assert Links({"path": "/login/"}, "/login").to("/x", {"a": "b&c", "d": ""}) == "../x?a=b%26c"


@pytest.mark.parametrize("host", HOSTS)
async def test_in_every_host(host: str) -> None:
    auth = made()
    app = mounts(auth)[host]

    async with running(app):
        await walk(Surfer(app), "/auth")
