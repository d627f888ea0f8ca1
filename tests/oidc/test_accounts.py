"""Accounts in other states, and other settings, at a login by a provider."""

from asgi_auth import Pages
from tests.oidc.test_linking import SAME, account, identities, turn_on
from tests.oidc.world import world
from tests.support import EMAIL


async def test_a_disabled_user_does_not_log_in_and_links_nothing() -> None:
    async with world() as app:
        await app.login()
        user = await app.auth.users.by_email(EMAIL)
        await app.auth.users.set_status(user.id, "disabled")

        assert (await app.login(browser=app.another_browser())).json["code"] == "account_disabled"
        app.user("8")
        assert (await app.login(browser=app.another_browser())).json["code"] == "account_disabled"
        assert await identities(app, user.id) == 1


async def test_a_closed_account_is_not_taken_over() -> None:
    async with world() as app:
        user_id = await account(app, verified=False)
        await app.auth.users.set_status(user_id, "closed")

        assert (await app.login()).json["code"] == "account_disabled"
        assert await identities(app, user_id) == 0


async def test_the_pages_ask_for_the_second_factor_and_go_on_where_the_login_was_begun() -> None:
    async with world("sqlite://", Pages()) as app:
        user_id = await account(app, verified=True)
        totp = await turn_on(app)
        browser = app.another_browser()

        asked = await app.login("/after", browser=browser)

        assert (asked.status, asked.header("location")) == (303, "../../second-factor?next=%2Fafter")
        assert await identities(app, user_id) == 0
        app.clock.move(30)
        form = {"content-type": "application/x-www-form-urlencoded"} | SAME
        sent = f"code={totp(app.clock())}&next=%2Fafter".encode()
        done = await browser.request("POST", "/auth/login/totp", body=sent, headers=form)
        assert (done.status, done.header("location")) == (303, "/after")
        assert await identities(app, user_id) == 1


async def test_the_pages_ask_for_the_code_of_a_claimed_address() -> None:
    async with world("sqlite://", Pages(), enumeration="hide") as app:
        app.user(email_verified=False)

        answer = await app.login()

        place = (answer.header("location") or "").partition("?")
        assert (answer.status, place[0]) == (303, "../../verify-email")
        assert (await app.browser.get(f"/auth/verify-email?{place[2]}")).status == 200


async def test_without_a_mailer_a_claimed_address_stays_unverified() -> None:
    async with world(mail=False) as app:
        app.user(email_verified=False)

        await app.login()

        assert (await app.me()).json["email_verified"] is False


async def test_the_proof_of_a_provider_is_enough_where_addresses_must_be_verified() -> None:
    async with world(verification="required") as app:
        user_id = await account(app, verified=False)

        await app.login()

        me = (await app.me()).json
        assert (me["id"], me["email_verified"]) == (user_id, True)


async def test_a_deleted_user_comes_back_as_a_new_one() -> None:
    async with world() as app:
        await app.login()
        first = await app.auth.users.by_email(EMAIL)
        await app.auth.users.delete(first.id)

        await app.login(browser=(browser := app.another_browser()))

        assert (await app.me(browser)).json["id"] != first.id
