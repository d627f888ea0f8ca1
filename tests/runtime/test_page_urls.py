"""Mailed links lead to pages that are there: renamed, mounted elsewhere, left out, or none at all."""

from typing import Any

import pytest

from asgi_auth import Auth, AuthApp, AuthMiddleware, Pages, PasswordReset, ServerMetadata
from asgi_auth.accounts.purpose import Purpose
from tests.pages.flows import all_features
from tests.support import cheap, make_auth, who


def paged(**settings: Any) -> Auth:
    return make_auth(features=all_features(Pages()), mailer=print, **settings)


def link(auth: Auth) -> str:
    return auth.letters.link(auth[PasswordReset].purpose, "t0k3n").removesuffix("?token=t0k3n")


def test_a_link_leads_where_the_page_has_been_renamed_to() -> None:
    auth = paged()
    AuthMiddleware(who, AuthApp(auth, paths={"reset_password": "/new-password"}), mount="/auth")
    assert link(auth) == "https://app.example.com/auth/new-password"

    # Of two apps the one that has renamed it.
    AuthMiddleware(who, auth, mount="/auth")
    assert link(auth) == "https://app.example.com/auth/new-password"
    with pytest.raises(ValueError, match="/new-password and at /another"):
        AuthApp(auth, paths={"reset_password": "/another"})


def test_a_link_leads_below_the_mount_of_the_middleware() -> None:
    auth = paged(base_url="https://example.com/app/")
    AuthMiddleware(who, auth, mount="/account")
    assert link(auth) == "https://example.com/app/account/reset-password"

    with pytest.raises(ValueError, match=r"use one mount, and set Settings\.mount to it"):
        AuthMiddleware(who, auth, mount="/auth")


def test_two_words_about_the_mount_are_refused_where_links_depend_on_it() -> None:
    with pytest.raises(ValueError, match=r"mounted at /auth, but links lead to /api/auth"):
        AuthMiddleware(who, paged(mount="/api/auth"), mount="/auth")

    AuthMiddleware(who, paged(mount="/api/auth"), mount="/api/auth")
    AuthMiddleware(who, paged(mount="/api/auth", base_url=None), mount="/auth")


def test_an_announced_url_is_that_of_the_mount() -> None:
    with pytest.raises(ValueError, match=r"mounted at /team/auth, but links lead to /auth"):
        AuthMiddleware(who, make_auth(features=[*cheap(), ServerMetadata()]), mount="/team/auth")

    auth = make_auth(features=[*cheap(), ServerMetadata()], mount="/team/auth")
    AuthMiddleware(who, auth, mount="/team/auth")


def test_a_page_that_is_not_served_is_not_linked() -> None:
    auth = paged()
    AuthApp(auth, include=["passwords"])
    assert link(auth) == ""

    AuthApp(auth, include=["passwordreset"])
    assert link(auth) == "https://app.example.com/auth/reset-password"


def test_a_process_that_serves_nothing_links_to_where_the_pages_are_by_default() -> None:
    assert link(paged(mount="/id")) == "https://app.example.com/id/reset-password"

    # A middleware that only says who is asking serves nothing either.
    auth = paged()
    AuthMiddleware(who, auth)
    AuthApp(auth, exclude=["reset_password"])
    assert link(auth) == ""


def test_without_pages_only_a_page_of_the_hosts_own_is_linked() -> None:
    auth = make_auth(mailer=print)
    AuthMiddleware(who, auth, mount="/auth")

    assert link(auth) == ""
    own = Purpose("reset_password", "/reset-password", ttl=9, link="https://spa.example.com/{token}")
    assert auth.letters.link(own, "t0k3n") == "https://spa.example.com/t0k3n"
