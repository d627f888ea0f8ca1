"""The page that waits for a code names what was typed, asks again with it, and logs in the browser that registered."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from asgi_auth import Auth, AuthMiddleware, Outbox, Pages
from asgi_auth.accounts.asked_mail import COOKIE
from tests.pages.flows import all_features, mailed
from tests.pages.surfer import Page, Surfer
from tests.support import EMAIL, PASSWORD, Clock, make_auth, who

NAME = f"__Host-auth-{COOKIE}"
OTHER = "grace@example.com"


@pytest.fixture(params=["hide", "tell"])
async def site(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Auth]:
    features = all_features(Pages())
    async with make_auth(clock=clock, features=features, mailer=Outbox(), enumeration=request.param) as made:
        yield made


@pytest.fixture
async def hiding(clock: Clock) -> AsyncIterator[Auth]:
    async with make_auth(clock=clock, features=all_features(Pages()), mailer=Outbox(), enumeration="hide") as made:
        yield made


def browser(auth: Auth) -> Surfer:
    return Surfer(AuthMiddleware(who, auth, mount="/auth"))


async def register(surfer: Surfer, email: str = EMAIL) -> Page:
    return await surfer.submit(await surfer.get("register"), "/register", email=email, password=PASSWORD)


async def code_of(auth: Auth, email: str = EMAIL) -> str:
    await auth.mail.idle()
    outbox: Any = auth.mail.mailer
    return str(next(mail.code for mail in reversed(outbox.mails) if mail.to == email and mail.code))


def request_in(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["request"][0]


async def is_logged_in(surfer: Surfer) -> bool:
    return not (await surfer.get("account")).url.startswith("/auth/login")


async def test_the_browser_that_registered_is_logged_in_by_the_code(site: Auth) -> None:
    ada = browser(site)
    waiting = await register(ada)

    done = await ada.submit(waiting, "/verify-email", code=await code_of(site))

    assert done.url == "/"
    assert await is_logged_in(ada)
    assert (await site.users.by_email(EMAIL)).email_verified
    assert NAME not in ada.client.cookies
    # The device is known from its first login on.
    assert "__Host-auth-device" in ada.client.cookies


async def test_a_script_of_another_browser_with_the_request_and_the_code_is_not(site: Auth) -> None:
    ada, other = browser(site), browser(site)
    sent = {"request": request_in(await register(ada)), "code": await code_of(site)}

    headers = {"accept": "application/json", "auth-transport": "cookie"}
    answer = await other.client.post("/auth/verify-email", sent, headers=headers)

    assert (answer.status, answer.header("set-cookie")) == (204, None)
    assert (await site.users.by_email(EMAIL)).email_verified
    assert [await is_logged_in(surfer) for surfer in (ada, other)] == [False, False]


@pytest.mark.parametrize("value", ["eve", "forged", "cut", "changed"])
async def test_a_cookie_of_another_registration_logs_in_no_one(hiding: Auth, value: str) -> None:
    ada, eve = browser(hiding), browser(hiding)
    waiting = await register(ada)
    code, cookie = await code_of(hiding), ada.client.cookies[NAME]
    await register(eve, OTHER)
    text, mac = cookie.split(".")
    values = {
        "eve": eve.client.cookies[NAME],
        "forged": f"{text}.{eve.client.cookies[NAME].split('.')[1]}",
        "cut": text,
        "changed": f"{text[:-2]}{'AA' if text[-2:] != 'AA' else 'AB'}.{mac}",
    }
    ada.client.cookies[NAME] = values[value]

    done = await ada.submit(waiting, "/verify-email", code=code)

    assert done.url == f"/auth/verify-email?request={request_in(waiting)}"
    assert await hiding.storage.user_by_email(EMAIL) is None
    assert not await is_logged_in(ada)


async def test_a_link_logs_in_no_one(hiding: Auth) -> None:
    ada = browser(hiding)
    await register(ada)
    page = await ada.get(f"verify-email?token={(await mailed(hiding, 'register')).token}")

    done = await ada.submit(page, "/verify-email", password=PASSWORD)

    assert done.url == "/auth/login?said=email_verified"
    assert not await is_logged_in(ada)


async def test_a_user_who_is_logged_in_stays_who_they_are(hiding: Auth) -> None:
    ada = browser(hiding)
    await ada.submit(await register(ada, OTHER), "/verify-email", code=await code_of(hiding, OTHER))
    body = {"email": EMAIL, "password": PASSWORD}
    waiting = await ada.post("register", body)

    done = await ada.submit(waiting, "/verify-email", code=await code_of(hiding))

    assert OTHER in (await ada.get("account")).text
    assert done.url == "/auth/account?said=email_verified"


async def test_a_wrong_code_of_a_user_who_is_logged_in_is_told(clock: Clock) -> None:
    features = all_features(Pages())
    async with make_auth(clock=clock, features=features, mailer=Outbox(), enumeration="tell") as auth:
        ada = browser(auth)
        request = request_in(await register(ada))
        await ada.submit(await ada.get("login"), "/login", email=EMAIL, password=PASSWORD)
        waiting = await ada.get(f"verify-email?request={request}")

        wrong = await ada.submit(waiting, "/verify-email", code="00000000")
        done = await ada.submit(wrong, "/verify-email", code=await code_of(auth))
        twice = await ada.submit(wrong, "/verify-email", code="00000000")

    assert (wrong.status, wrong.url) == (400, "/auth/verify-email")
    assert done.url == "/auth/account?said=email_verified"
    assert twice.url == "/"


async def test_a_call_without_pages_answers_as_ever(hiding: Auth) -> None:
    ada = browser(hiding)
    waiting = await register(ada)
    body = {"request": request_in(waiting), "code": await code_of(hiding)}

    answer = await ada.client.post("/auth/verify-email", body, headers={"accept": "application/json"})

    assert (answer.status, answer.body, answer.header("set-cookie")) == (204, b"", None)
    assert not await is_logged_in(ada)


async def test_a_login_that_is_refused_leaves_the_address_verified(hiding: Auth) -> None:
    ada = browser(hiding)
    waiting = await register(ada)
    code = await code_of(hiding)

    async def refuse(*_: object, **__: object) -> None:
        from asgi_auth.errors import AccountDisabledError

        raise AccountDisabledError

    hiding.login = refuse  # type: ignore[method-assign,assignment]  # as a feature's hook would
    done = await ada.submit(waiting, "/verify-email", code=code)

    assert done.url == "/auth/login?said=email_verified"
    assert (await hiding.users.by_email(EMAIL)).email_verified


async def test_the_page_names_the_address_whether_it_is_known_or_not(hiding: Auth) -> None:
    known = browser(hiding)
    await known.submit(await register(known), "/verify-email", code=await code_of(hiding))
    first, second = browser(hiding), browser(hiding)

    waiting, new = await register(first), await register(second, OTHER)

    texts = [waiting.text.replace(EMAIL, "…"), new.text.replace(OTHER, "…")]
    assert texts[0] == texts[1]
    assert "Check your mail" in texts[0]
    assert f"the mail to {OTHER}" in new.text
    assert OTHER not in new.url
    assert {first.client.cookies.keys() == second.client.cookies.keys(), NAME in first.client.cookies} == {True}


@pytest.mark.parametrize(("asks", "waits"), [
    ("register", "verify-email"), ("forgot-password", "reset-password"), ("request-unlock", "unlock"),
    ("magic-link", "magic-link/login"),
])  # fmt: skip
async def test_another_mail_is_asked_for_without_typing(hiding: Auth, clock: Clock, asks: str, waits: str) -> None:
    ada = browser(hiding)
    again = f"/{'resend-verification' if asks == 'register' else asks}"
    more = {"password": PASSWORD} if asks == "register" else {}
    waiting = await ada.submit(await ada.get(asks), f"/{asks}", email=EMAIL, **more)
    form = waiting.form(again)

    assert form.inputs["email"] == {"type": "hidden", "name": "email", "value": EMAIL}
    assert form.values["request"] == request_in(waiting)
    waits_for = [item["action"] for tag, item in waiting.tags if tag == "form" and item.get("data-wait") == "60"]
    assert [action.endswith(again) for action in waits_for] == [True]
    assert any(f"/{asks}" in link for link in waiting.links)
    clock.move(61)
    later = await ada.submit(waiting, again)
    assert (later.url.partition("?")[0], request_in(later)) == (f"/auth/{waits}", request_in(waiting))
    assert f"the mail to {EMAIL}" in later.text
    # Another browser, and this one later, type the address.
    stranger = await browser(hiding).get(later.url)
    assert EMAIL not in stranger.text
    clock.move(86400)
    assert EMAIL not in (await ada.get(later.url)).text


@pytest.mark.parametrize(
    "path", ["verify-email", "reset-password", "unlock", "magic-link/login", "confirm-email-change"]
)
async def test_a_dead_link_is_told_before_anything_is_typed(hiding: Auth, path: str) -> None:
    page = await browser(hiding).get(f"{path}?token=dead")

    assert page.status == 200
    assert "not valid any more" in page.text
    assert f"/auth/{path}" not in [form.action for form in page.forms]
    assert page.forms or page.links
