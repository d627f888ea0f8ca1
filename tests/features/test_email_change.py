"""Email change: with the password, confirmed at the new address, told to the old one, dying with other changes."""

import asyncio

import pytest

from asgi_auth import Pages
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.pages.flows import all_features
from tests.support import EMAIL, PASSWORD, Answer

NEW = "Grace@example.org"


async def ask(app: Flows, new: str = NEW, password: str = PASSWORD) -> Answer:
    body = {"new_email": new, "password": password}
    return await app.client.post("/auth/change-email", body, headers=await app.headers())


async def confirm(app: Flows, **fields: str) -> Answer:
    more = {"password": PASSWORD} if "token" in fields else {}
    return await app.client.post("/auth/confirm-email-change", {**more, **fields})


async def test_the_address_changes_when_the_new_one_has_answered() -> None:
    async with flows(features=all_features(Pages())) as app:
        await app.verified()
        user = await app.auth.users.by_email(EMAIL)
        headers = await app.headers()

        assert (await ask(app)).status == 202
        mail = await app.mail("change_email", NEW)
        warning = await app.mail("email_change_requested", EMAIL)
        assert (await app.login()).status == 200
        assert (await confirm(app, token=mail.token)).status == 204
        notice = await app.mail("email_changed", EMAIL)

        changed = await app.auth.users.get(user.id)
        assert (changed.email, changed.email_canonical, changed.email_verified) == (NEW, NEW.lower(), True)
        assert "G…@example.org" in notice.text + warning.text
        assert NEW not in notice.text + notice.html + warning.text + warning.html
        assert (notice.token, warning.token, warning.link) == ("", "", "")
        assert mail.link.startswith("https://app.example.com/auth/confirm-email-change?token=")
        assert (await app.login()).status == 401
        assert (await app.login(email=NEW)).status == 200
        assert (await app.client.get("/auth/me", headers=headers)).json["email"] == NEW


async def test_the_code_works_with_its_request() -> None:
    async with flows() as app:
        await app.verified()
        request = (await ask(app)).json["request"]

        code = (await app.mail("change_email")).code

        assert (await confirm(app, request=request, code=code)).status == 204


async def test_the_password_is_wanted() -> None:
    async with flows() as app:
        await app.verified()

        answer = await ask(app, password="wrong password")

        assert (answer.status, answer.json["code"]) == (401, "invalid_credentials")
        assert (await app.client.post("/auth/change-email", {"new_email": NEW, "password": PASSWORD})).status == 401
        await app.no_more_mail()


@pytest.mark.parametrize("change", ["reset", "password", "another"])
async def test_an_open_change_dies_with_other_changes(change: str) -> None:
    async with flows() as app:
        await app.verified()
        await ask(app)
        token = (await app.mail("change_email")).token
        if change == "another":
            await ask(app, "third@example.org")
        elif change == "password":
            body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
            await app.client.post("/auth/change-password", body, headers=await app.headers())
        else:
            await app.client.post("/auth/forgot-password", {"email": EMAIL})
            body = {"token": (await app.mail("reset_password")).token, "new_password": NEW_PASSWORD}
            await app.client.post("/auth/reset-password", body)

        answer = await confirm(app, token=token)

        assert (answer.status, answer.json["code"]) == (400, "invalid_one_time_token")
        assert (await app.auth.users.by_email(EMAIL)).email == EMAIL


async def test_a_taken_address_is_not_told_and_its_owner_hears_of_it() -> None:
    async with flows() as app:
        await app.verified()
        await app.verified(NEW.lower())

        answer = await ask(app)

        assert answer.status == 202
        assert (await app.mail("already_registered")).token == ""
        assert (await app.auth.users.by_email(EMAIL)).email == EMAIL


async def test_an_address_that_was_taken_meanwhile_stays_with_who_has_it() -> None:
    async with flows() as app:
        await app.verified()
        await ask(app)
        token = (await app.mail("change_email")).token
        await app.verified(NEW.lower())

        assert (await confirm(app, token=token)).status == 400
        assert (await app.auth.users.by_email(EMAIL)).email == EMAIL


async def test_two_accounts_that_ask_for_one_address_never_share_it() -> None:
    async with flows() as app:
        tokens = []
        for email in (EMAIL, "eve@example.com"):
            await app.verified(email)
            headers = await app.headers(email=email)
            body = {"new_email": NEW, "password": PASSWORD}
            await app.client.post("/auth/change-email", body, headers=headers)
            tokens.append((await app.mail("change_email")).token)
            app.clock.move(61)

        answers = await asyncio.gather(*(confirm(app, token=token) for token in tokens))

        assert sorted(answer.status for answer in answers) == [204, 400]


@pytest.mark.parametrize("new", [EMAIL, f" {EMAIL}\u200b", "no address"])
async def test_the_current_address_and_none_at_all_are_refused(new: str) -> None:
    async with flows() as app:
        await app.verified()

        answer = await ask(app, new)

        assert (answer.status, list(answer.json["errors"])) == (422, ["new_email"])


async def test_a_user_may_change_the_capitals_of_the_address() -> None:
    async with flows() as app:
        await app.verified(EMAIL.upper())

        answer = await ask(app, EMAIL)
        mail = await app.mail("change_email", EMAIL)
        confirmed = await confirm(app, token=mail.token)

        assert (answer.status, confirmed.status) == (202, 204)
        user = await app.auth.users.by_email(EMAIL)
        assert (user.email, user.email_canonical) == (EMAIL, EMAIL)
        assert (await app.login()).status == 200
        assert (await ask(app, EMAIL)).status == 422


async def test_a_disabled_account_is_not_changed() -> None:
    async with flows() as app:
        await app.verified()
        await ask(app)
        token = (await app.mail("change_email")).token
        await app.auth.users.set_status((await app.auth.users.by_email(EMAIL)).id, "disabled")

        assert (await confirm(app, token=token)).status == 400
