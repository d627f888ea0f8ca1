"""Usernames in a browser: one input for the address or the name, and the name on the account page."""

from collections.abc import AsyncIterator

import pytest

from asgi_auth import AuthMiddleware, Outbox, Pages, Usernames
from tests.pages.flows import all_features
from tests.pages.surfer import Surfer
from tests.support import EMAIL, PASSWORD, Clock, make_auth, who


@pytest.fixture
async def surfer() -> AsyncIterator[Surfer]:
    features = [*all_features(Pages()), Usernames()]
    async with make_auth(features=features, mailer=Outbox(), clock=Clock()) as auth:
        yield Surfer(AuthMiddleware(who, auth, mount="/auth"))


async def registered(surfer: Surfer, **values: str) -> None:
    page = await surfer.get("register")
    await surfer.submit(page, "/register", **{"email": EMAIL, "password": PASSWORD, "username": "Ada", **values})


async def test_a_visitor_registers_and_logs_in_by_the_name(surfer: Surfer) -> None:
    await registered(surfer)
    page = await surfer.get("login")
    inputs = page.form("/login").inputs
    await surfer.submit(page, "/login", username="ada", password=PASSWORD)
    account = await surfer.get("account")

    assert [*inputs] == ["username", "password"]
    assert inputs["username"].items() >= {"type": "text", "autocomplete": "username", "required": ""}.items()
    assert "Email address or username" in page.text
    assert account.url.endswith("/auth/account")
    assert account.form("/me").inputs["username"]["value"] == "Ada"


async def test_the_same_input_takes_the_address(surfer: Surfer) -> None:
    await registered(surfer)

    await surfer.submit(await surfer.get("login"), "/login", username=EMAIL, password=PASSWORD)
    account = await surfer.get("account")

    assert account.url.endswith("/auth/account")


async def test_a_wrong_password_names_neither_field_and_keeps_the_name(surfer: Surfer) -> None:
    await registered(surfer)

    refused = [
        await surfer.submit(await surfer.get("login"), "/login", username=name, password="wrong")
        for name in ("ada", "nobody1")
    ]

    for page, name in zip(refused, ("ada", "nobody1"), strict=True):
        assert (page.status, page.form("/login").inputs["username"]["value"]) == (401, name)
        assert "The address or the password is wrong." in page.text


async def test_the_name_changes_on_the_account_page(surfer: Surfer) -> None:
    await registered(surfer)
    await surfer.submit(await surfer.get("login"), "/login", username="ada", password=PASSWORD)
    reserved = await surfer.submit(await surfer.get("account"), "/me", username="admin")
    changed = await surfer.submit(reserved, "/me", username="Countess")

    assert "This name is reserved. Choose another one." in reserved.text
    assert changed.form("/me").inputs["username"]["value"] == "Countess"


async def test_a_taken_name_is_told_beside_its_field_in_the_language_of_the_visitor(surfer: Surfer) -> None:
    await registered(surfer)
    surfer.client.headers["accept-language"] = "de"
    page = await surfer.get("register")
    taken = await surfer.submit(page, "/register", email="eve@example.com", password=PASSWORD, username="ADA")

    assert "Das ist schon vergeben." in taken.text
    assert "Benutzername" in page.text
    assert taken.form("/register").inputs["username"]["value"] == "ADA"


async def test_a_reset_is_asked_for_by_the_name(surfer: Surfer) -> None:
    await registered(surfer)
    page = await surfer.get("forgot-password")
    waiting = await surfer.submit(page, "/forgot-password", username="ADA")
    unknown = await surfer.submit(page, "/forgot-password", username="nobody1")

    assert [*page.form("/forgot-password").inputs] == ["username"]
    assert waiting.form("/reset-password").inputs.keys() == unknown.form("/reset-password").inputs.keys()
    assert waiting.text.replace("ADA", "nobody1") == unknown.text
