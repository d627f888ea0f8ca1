"""Every flow through the pages, as a browser without JavaScript goes through it."""

import re

import pytest

from asgi_auth import Auth, AuthMiddleware, Lockout, Outbox, Pages, Passwords
from tests.browsers import DEVICE
from tests.pages.flows import all_features, mailed
from tests.pages.surfer import Page, Surfer
from tests.support import EMAIL, PASSWORD, Client, bearer, login, make_auth, who

NEW = "a wholly other pass phrase"


async def sign_up(surfer: Surfer, **fields: str) -> Page:
    """Register and log in; give the page that follows."""
    page = await surfer.get("register")
    page = await surfer.submit(page, "/register", email=EMAIL, password=PASSWORD, company="Engines", **fields)
    assert page.status == 200, page.text
    assert page.url == "/auth/login?said=registered"
    return await surfer.submit(page, "/login", email=EMAIL, password=PASSWORD)


async def test_register_log_in_and_out(surfer: Surfer, auth: Auth) -> None:
    home = await sign_up(surfer, age="36", height="1.5", newsletter="on")
    account = await surfer.get("account")

    assert (home.status, home.url) == (303, "/")
    assert account.status == 200
    assert EMAIL in account.text
    assert (await auth.users.by_email(EMAIL)).data == {
        "company": "Engines", "age": 36, "height": 1.5, "newsletter": True, "credit": 0, "invited_by": None,
    }  # fmt: skip
    left = await surfer.submit(account, "/logout")
    assert left.url == "/auth/login?said=logged_out"
    assert "You are logged out." in left.text
    assert surfer.client.cookies.keys() == {DEVICE}
    assert (await surfer.get("account")).url == "/auth/login?next=account&said=login_needed"


async def test_who_is_logged_in_is_sent_on_and_who_is_not_comes_back(surfer: Surfer) -> None:
    login_page = await surfer.get("account")
    await sign_up(surfer)
    assert (await surfer.get("login")).url == "/"
    assert (await surfer.get("register?next=/here")).url == "/here"
    await surfer.submit(await surfer.get("account"), "/logout")

    account = await surfer.submit(login_page, "/login", email=EMAIL, password=PASSWORD)

    assert (account.status, account.url) == (200, "/auth/account")


async def test_extra_fields_are_changed_and_kept_to_their_types(surfer: Surfer, auth: Auth) -> None:
    await sign_up(surfer, age="36", newsletter="on")
    account = await surfer.get("account")
    form = account.form("/me")

    assert form.action == "/auth/me?_method=PATCH"
    assert set(form.inputs) == {"company", "age", "height", "newsletter"}
    assert (form.inputs["age"]["value"], form.inputs["age"]["type"], form.inputs["height"]["step"]) == (
        "36", "number", "any",
    )  # fmt: skip
    refused = await surfer.post(form.action, form.values | {"age": "old"})
    assert (refused.status, "Enter a number." in refused.text) == (422, True)
    saved = await surfer.post(form.action, {"company": "Looms", "age": "37", "height": ""})
    assert saved.url == "/auth/account?said=saved"
    data = (await auth.users.by_email(EMAIL)).data
    assert (data["company"], data["age"], data["height"], data["newsletter"]) == ("Looms", 37, None, False)
    emptied = await surfer.post(form.action, {"company": "", "age": ""})
    assert (emptied.status, "This field is needed." in emptied.text) == (422, True)
    assert (await surfer.post(form.action, {"age": ""})).url == "/auth/account?said=saved"
    assert (await auth.users.by_email(EMAIL)).data["age"] is None
    assert (await surfer.get("account")).form("/me").inputs["age"].get("value", "") == ""


async def test_a_password_is_changed_and_what_is_wrong_stands_beside_its_field(surfer: Surfer) -> None:
    await sign_up(surfer)
    account = await surfer.get("account")

    wrong = await surfer.submit(account, "/change-password", current_password="wrong", new_password=NEW)
    common = await surfer.submit(account, "/change-password", current_password=PASSWORD, new_password="password1")
    done = await surfer.submit(account, "/change-password", current_password=PASSWORD, new_password=NEW)

    assert (wrong.status, wrong.url) == (401, "/auth/change-password")
    assert wrong.by_id("change_password-current_password")[1]["aria-invalid"] == "true"
    assert common.status == 422
    _, attributes = common.by_id("change_password-new_password")
    assert attributes["aria-describedby"].split() == [
        "change_password-new_password-hint", "change_password-new_password-error",
    ]  # fmt: skip
    assert "autofocus" in attributes
    assert [tag for tag, item in common.tags if "autofocus" in item] == ["input"]
    assert "too common and easy to guess" in common.text
    assert done.url == "/auth/account?said=password_changed"


async def test_another_device_is_shown_and_ended(surfer: Surfer, auth: Auth) -> None:
    await sign_up(surfer)
    other = await login(auth)
    account = await surfer.get("account")

    assert account.text.count("this device") == 1
    ended = await surfer.submit(account, f"/sessions/{(await auth.authenticate(str(other.access_token))).session_id}")

    assert ended.url == "/auth/account?said=session_ended"
    assert (await Client(surfer.client.app).get("/auth/me", headers=bearer(other))).json["code"] == "token_revoked"
    assert [form for form in ended.forms if "/sessions/" in form.action] == []


async def test_all_devices_are_logged_out(surfer: Surfer, auth: Auth) -> None:
    await sign_up(surfer)
    await login(auth)

    page = await surfer.submit(await surfer.get("account"), "/logout-all")

    assert page.url == "/auth/login?said=logged_out_everywhere"
    assert surfer.client.cookies.keys() == {DEVICE}


@pytest.mark.parametrize("by", ["token", "code"])
async def test_a_forgotten_password_is_replaced_by_link_and_by_code(surfer: Surfer, auth: Auth, by: str) -> None:
    await sign_up(surfer)
    await surfer.submit(await surfer.get("account"), "/logout")
    waiting = await surfer.submit(await surfer.get("forgot-password"), "/forgot-password", email=EMAIL)
    mail = await mailed(auth, "reset_password")
    assert re.fullmatch(r"/auth/reset-password\?request=[\w-]+&said=mail_sent", waiting.url)

    page = waiting if by == "code" else await surfer.get(f"reset-password?token={mail.token}")
    shown = set(page.form("/reset-password").inputs)
    code = {"code": mail.code} if by == "code" else {}
    weak = await surfer.submit(page, "/reset-password", new_password="password1", **code)
    done = await surfer.submit(weak, "/reset-password", new_password=NEW, **({} if by == "token" else code))

    assert shown == ({"request", "code", "new_password"} if by == "code" else {"token", "new_password"})
    assert (weak.status, "too common and easy to guess" in weak.text) == (422, True)
    assert done.url == "/auth/login?said=password_changed"
    assert (await surfer.submit(done, "/login", email=EMAIL, password=NEW)).url == "/"


async def test_a_used_link_is_told_as_such_and_a_new_one_offered(surfer: Surfer) -> None:
    page = await surfer.get("reset-password?token=used")
    assert "not valid any more" in page.text
    assert [form.action for form in page.forms] == ["/auth/forgot-password"]

    # A link may die while its page is open.
    refused = await surfer.post("reset-password", {"token": "used", "new_password": NEW})

    assert (refused.status, "not valid any more" in refused.text) == (400, True)
    assert "/auth/forgot-password" in refused.links


async def test_opening_a_link_uses_nothing_up(surfer: Surfer, auth: Auth) -> None:
    await sign_up(surfer)
    await surfer.submit(await surfer.get("verify-email"), "/resend-verification", email=EMAIL)
    path = f"/auth/verify-email?token={(await mailed(auth, 'verify_email')).token}"
    for method in ("GET", "HEAD", "GET"):
        query = {"query_string": path.partition("?")[2].encode()}
        answer = await surfer.client.request(method, "/auth/verify-email", scope=query)
        assert answer.status == 200

    assert not (await auth.users.by_email(EMAIL)).email_verified
    done = await surfer.submit(await surfer.get(path), "/verify-email")
    assert done.url == "/auth/account?said=email_verified"
    assert (await auth.users.by_email(EMAIL)).email_verified


async def test_without_a_link_the_page_says_where_it_is(surfer: Surfer) -> None:
    page = await surfer.get("verify-email")

    assert "Open the link in the mail" in page.text
    assert [form.action for form in page.forms] == ["/auth/resend-verification"]


async def test_a_registration_that_is_finished_by_mail() -> None:
    async with make_auth(features=all_features(Pages()), mailer=Outbox(), enumeration="hide") as auth:
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
        page = await surfer.get("register?next=/welcome")

        waiting = await surfer.submit(page, "/register", email=EMAIL, password=PASSWORD)
        mail = await mailed(auth, "register")
        wrong = await surfer.submit(waiting, "/verify-email", code="x")
        done = await surfer.submit(wrong, "/verify-email", code=mail.code)

        assert waiting.url.startswith("/auth/verify-email?next=%2Fwelcome&request=")
        assert waiting.form("/verify-email").inputs["code"]["autocomplete"] == "one-time-code"
        assert wrong.status == 400
        assert done.url == "/welcome"
        assert (await surfer.get("account")).status == 200


@pytest.mark.parametrize("by", ["token", "code"])
async def test_a_mail_logs_in(surfer: Surfer, auth: Auth, by: str) -> None:
    await sign_up(surfer)
    await surfer.submit(await surfer.get("account"), "/logout")
    waiting = await surfer.submit(await surfer.get("magic-link?next=/deep"), "/magic-link", email=EMAIL)
    mail = await mailed(auth, "magic_link")

    if by == "code":
        home = await surfer.submit(waiting, "/magic-link/login", code=mail.code)
    else:
        home = await surfer.submit(await surfer.get(f"magic-link/login?token={mail.token}"), "/magic-link/login")

    assert home.url == "/deep"
    assert (await surfer.get("account")).status == 200


async def test_an_address_is_changed(surfer: Surfer, auth: Auth) -> None:
    await sign_up(surfer)
    account = await surfer.get("account")
    wrong = await surfer.submit(account, "/change-email", new_email="grace@example.com", password="wrong")
    assert wrong.by_id("change_email-password")[1]["aria-invalid"] == "true"
    assert wrong.form("/change-email").values == {"new_email": "grace@example.com", "password": ""}

    waiting = await surfer.submit(account, "/change-email", new_email="grace@example.com", password=PASSWORD)
    done = await surfer.submit(waiting, "/confirm-email-change", code=(await mailed(auth, "change_email")).code)

    assert done.url == "/auth/account?said=email_changed"
    assert "grace@example.com" in done.text


async def test_an_account_is_exported_and_closed(surfer: Surfer, auth: Auth) -> None:
    await sign_up(surfer)
    account = await surfer.get("account")
    assert "/auth/me/export" in account.links
    assert (await surfer.get("me/export")).answer.json["user"]["email"] == EMAIL

    closed = await surfer.submit(account, "/close-account", password=PASSWORD)

    assert closed.url == "/auth/login?said=account_closed"
    assert (await auth.users.by_email(EMAIL)).status == "closed"
    refused = await surfer.submit(closed, "/login", email=EMAIL, password=PASSWORD)
    assert (refused.status, "This account is disabled." in refused.text) == (403, True)


async def test_a_locked_account_is_unlocked_by_mail() -> None:
    features = [*all_features(Pages()), Lockout(after=2)]
    async with make_auth(features=features, mailer=Outbox()) as auth:
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
        await auth[Passwords].register(email=EMAIL, password=PASSWORD)
        page = await surfer.get("login")
        for password in ("wrong", "wrong", PASSWORD):
            page = await surfer.submit(page, "/login", email=EMAIL, password=password)
        assert page.status == 429
        assert "too many wrong passwords" in page.text

        waiting = await surfer.submit(await surfer.get("request-unlock"), "/request-unlock", email=EMAIL)
        done = await surfer.submit(waiting, "/unlock", code=(await mailed(auth, "unlock")).code)

        assert done.url == "/auth/login?said=account_unlocked"
        assert (await surfer.submit(done, "/login", email=EMAIL, password=PASSWORD)).url == "/"
