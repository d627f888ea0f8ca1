"""Routes: which endpoints are served and under which paths; unknown names are refused."""

from typing import Any

import pytest

from asgi_auth import AuthApp, Outbox, Passwords, Sessions
from asgi_auth.feature import Feature, post
from tests.support import EMAIL, PASSWORD, Client, make_auth

ALL = {
    "register": "/register",
    "login": "/login",
    "token": "/token",
    "change_password": "/change-password",
    "reauthenticate": "/reauthenticate/password",
    "set_password": "/set-password",
    "refresh": "/refresh",
    "logout": "/logout",
    "logout_all": "/logout-all",
    "me": "/me",
    "sessions": "/sessions",
    "end_session": "/sessions/{id}",
    "update_me": "/me",
    "export": "/me/export",
    "close_account": "/close-account",
    "health": "/health",
}
MAIL = {
    "verify_email": "/verify-email",
    "resend_verification": "/resend-verification",
    "forgot_password": "/forgot-password",
    "reset_password": "/reset-password",
    "change_email": "/change-email",
    "confirm_email_change": "/confirm-email-change",
    "request_unlock": "/request-unlock",
    "unlock": "/unlock",
    "accept_invitation": "/accept-invitation",
}


def served(**selection: Any) -> dict[str, str]:
    app = AuthApp(make_auth(), **selection)
    return {route.endpoint.name: path for path, route in app.routes}


def test_everything_is_served_by_default() -> None:
    assert served() == ALL


def test_with_a_mailer_the_flows_by_mail_are_served_too() -> None:
    app = AuthApp(make_auth(mailer=Outbox()))

    assert {route.endpoint.name: path for path, route in app.routes} == ALL | MAIL


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ({"include": ["login", "refresh"]}, {"login", "refresh"}),
        (
            {"include": ["passwords", "logout"]},
            {"register", "login", "reauthenticate", "set_password", "change_password", "logout"},
        ),
        ({"include": ["health"]}, {"health"}),
        ({"exclude": ["register"]}, ALL.keys() - {"register"}),
        (
            {"exclude": ["passwords", "tokenendpoint", "account", "health"]},
            {"refresh", "logout", "logout_all", "sessions", "end_session"},
        ),
        (
            {"include": ["passwords"], "exclude": ["login"]},
            {"register", "reauthenticate", "set_password", "change_password"},
        ),
    ],
)
def test_endpoints_are_selected_by_name_or_feature(selection: dict[str, list[str]], names: set[str]) -> None:
    assert served(**selection).keys() == names


@pytest.mark.parametrize(
    "selection",
    [
        {"include": ["signin"]},
        {"exclude": ["/login"]},
        {"paths": {"signin": "/x"}},
        {"paths": {"passwords": "/x"}},
        {"include": []},
        {"paths": {"login": "sign-in"}},
        {"paths": {"login": "/"}},
        {"paths": {"login": "/sign-in/"}},
        {"paths": {"login": "/register"}},
    ],
)
def test_unknown_names_and_paths_that_are_none_are_refused(selection: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        served(**selection)


async def test_a_renamed_endpoint_is_served_at_its_new_path_only() -> None:
    async with make_auth() as auth:
        client = Client(AuthApp(auth, paths={"register": "/sign-up/email", "end_session": "/devices/{id}"}))
        account = {"email": EMAIL, "password": PASSWORD}

        assert (await client.post("/sign-up/email", account)).status == 201
        assert (await client.post("/register", account)).status == 404
        assert (await client.request("DELETE", "/devices/x")).status == 401


async def test_one_auth_may_be_served_twice() -> None:
    async with make_auth(features=[Passwords(), Sessions()]) as auth:
        public, private = Client(AuthApp(auth, include=["login"])), Client(AuthApp(auth, exclude=["login"]))

        assert (await public.post("/login", {})).status == 422
        assert (await private.post("/login", {})).status == 404
        assert (await public.get("/me")).status == 404


class Clash(Feature):
    """Wants the place of another."""

    @post("/logout")
    async def leave(self) -> None:
        """Leave."""


def test_two_endpoints_at_one_place_are_refused() -> None:
    auth = make_auth(features=[Sessions(), Clash()])

    with pytest.raises(ValueError, match="two endpoints at POST /logout"):
        AuthApp(auth)
    assert AuthApp(auth, paths={"leave": "/leave"})
