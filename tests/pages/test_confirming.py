"""The pages that links lead to: who isn't logged in shows the password as well."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from asgi_auth import Auth, AuthMiddleware, Outbox, Pages
from tests.pages.flows import all_features, mailed
from tests.pages.surfer import Page, Surfer
from tests.support import EMAIL, PASSWORD, Clock, make_auth, who


@pytest.fixture
async def hiding(clock: Clock) -> AsyncIterator[Auth]:
    """Registrations are finished by mail."""
    features = all_features(Pages())
    async with make_auth(clock=clock, features=features, mailer=Outbox(), enumeration="hide") as made:
        yield made


@pytest.fixture
def visitor(hiding: Auth) -> Surfer:
    return Surfer(AuthMiddleware(who, hiding, mount="/auth"))


async def register(visitor: Surfer) -> Page:
    return await visitor.submit(await visitor.get("register"), "/register", email=EMAIL, password=PASSWORD)


def request_in(page: Page) -> list[str]:
    return parse_qs(urlsplit(page.url).query)["request"]


async def test_the_link_of_a_registration_asks_for_its_password(visitor: Surfer, hiding: Auth) -> None:
    await register(visitor)
    page = await visitor.get(f"verify-email?token={(await mailed(hiding, 'register')).token}")
    field = page.form("/verify-email").inputs["password"]

    wrong = await visitor.submit(page, "/verify-email", password="not this one")
    done = await visitor.submit(wrong, "/verify-email", password=PASSWORD)

    assert (field["type"], field["autocomplete"], "required" in field) == ("password", "current-password", True)
    assert "Enter your password as well" in page.text
    assert (wrong.status, "The password is wrong." in wrong.text) == (401, True)
    assert "aria-invalid" in wrong.form("/verify-email").inputs["password"]
    assert done.url == "/auth/login?said=email_verified"


async def test_who_is_logged_in_to_another_account_is_asked_for_the_password(visitor: Surfer, hiding: Auth) -> None:
    await register(visitor)
    token = (await mailed(hiding, "register")).token
    body = {"email": "eve@example.com", "password": PASSWORD}
    await visitor.client.post("/auth/register", body, headers={"accept": "*/*"})
    await visitor.client.post("/auth/verify-email", {"token": (await mailed(hiding, "register")).token, **BODY})
    await visitor.submit(await visitor.get("login"), "/login", **body)

    page = await visitor.get(f"verify-email?token={token}")
    asked = await visitor.submit(page, "/verify-email")
    done = await visitor.submit(asked, "/verify-email", password=PASSWORD)

    assert "password" not in page.form("/verify-email").inputs
    assert (asked.status, "Enter the password of this account" in asked.text) == (401, True)
    assert done.url == "/auth/account?said=email_verified"


BODY = {"password": PASSWORD}


async def test_asking_again_keeps_the_request_for_the_newest_code(visitor: Surfer, hiding: Auth, clock: Clock) -> None:
    waiting = await register(visitor)
    await mailed(hiding, "register")
    again = await visitor.submit(waiting, "/resend-verification", email=EMAIL)
    second = await mailed(hiding, "register")
    once_more = await visitor.submit(again, "/resend-verification", email=EMAIL)
    clock.move(61)
    wrong = await visitor.submit(once_more, "/verify-email", code="00000000")
    asked = await visitor.submit(wrong, "/resend-verification", email=EMAIL)

    for page in (again, once_more, asked):
        assert request_in(page) == request_in(waiting)
    assert "password" not in once_more.form("/verify-email").inputs
    code = (await mailed(hiding, "register")).code
    assert code != second.code
    assert (await visitor.submit(asked, "/verify-email", code=code)).url == "/"


async def test_another_mail_is_asked_for_with_the_request_of_the_last(visitor: Surfer, hiding: Auth) -> None:
    waiting = await visitor.submit(await visitor.get("forgot-password"), "/forgot-password", email=EMAIL)
    (back,) = [link for link in waiting.links if "/forgot-password" in link]

    again = await visitor.submit(await visitor.get(back), "/forgot-password", email=EMAIL)

    assert request_in(again) == request_in(waiting)
    await hiding.mail.idle()


async def test_a_second_click_on_the_login_of_a_mail_leads_on(visitor: Surfer, hiding: Auth) -> None:
    await register(visitor)
    await visitor.client.post("/auth/verify-email", {"token": (await mailed(hiding, "register")).token, **BODY})
    await visitor.submit(await visitor.get("magic-link"), "/magic-link", email=EMAIL)
    page = await visitor.get(f"magic-link/login?token={(await mailed(hiding, 'magic_link')).token}")

    first = await visitor.submit(page, "/magic-link/login")
    second = await visitor.submit(page, "/magic-link/login")

    assert first.url == second.url == "/"
    assert second.status == 303
