"""Email verification: by link or code, for accounts that are there and for registrations that wait for it."""

import pytest

from asgi_auth import Pages, Passwords, Sessions
from tests.features.flows import NEW_PASSWORD, flows, token_in
from tests.pages.flows import all_features
from tests.support import EMAIL, PASSWORD, bearer, make_auth


async def test_a_registration_mails_a_link_and_a_code_that_verify_the_address() -> None:
    async with flows(features=all_features(Pages())) as app:
        registered = (await app.register()).json
        mail = await app.mail("verify_email", EMAIL)
        token, code = token_in(mail.link), mail.code

        assert mail.link.startswith("https://app.example.com/auth/verify-email?token=")
        assert mail.token == token
        assert code in mail.text
        assert len(code) == 8
        assert registered["user"]["email_verified"] is False
        body = {"request": registered["verification"]["request"], "code": f"{code[:4]} {code[4:]}"}
        assert (await app.client.post("/auth/verify-email", body)).status == 204
        assert (await app.auth.users.by_email(EMAIL)).email_verified is True


async def test_a_link_is_used_once_and_never_by_looking() -> None:
    async with flows() as app:
        await app.register()
        token = (await app.mail("verify_email")).token

        for method in ("GET", "HEAD", "GET", "HEAD"):
            scope = {"query_string": f"token={token}".encode()}
            assert (await app.client.request(method, "/auth/verify-email", scope=scope)).status == 405
        first, second = await app.verify(token), await app.verify(token)

        assert first.status == 204
        assert (second.status, second.json["code"]) == (400, "invalid_verification_token")


async def test_verification_ends_the_earlier_sessions_but_the_current_one() -> None:
    async with flows() as app:
        await app.register()
        stranger, owner = await app.headers(), await app.headers()
        token = (await app.mail("verify_email")).token

        await app.client.post("/auth/verify-email", {"token": token}, headers=owner)

        assert (await app.client.get("/auth/me", headers=stranger)).status == 401
        assert (await app.client.get("/auth/me", headers=owner)).json["email_verified"] is True


async def test_a_required_verification_makes_no_account_before_it() -> None:
    async with flows(enumeration="hide") as app:
        answer = await app.register()

        assert answer.status == 202
        assert answer.json.keys() == {"request", "expires_in"}
        assert (await app.login()).json["code"] == "invalid_credentials"
        mail = await app.mail("register", EMAIL)
        assert (await app.verify(mail.token)).status == 204
        assert (await app.login()).status == 200
        assert (await app.auth.users.by_email(EMAIL)).email_verified is True


async def test_of_two_registrations_the_one_whose_mail_is_answered_counts() -> None:
    async with flows(enumeration="hide") as app:
        await app.register(password="the stranger's secret")
        stranger = await app.mail("register")
        app.clock.move(2)
        await app.register(password=PASSWORD)
        owner = await app.mail("register")

        await app.verify(owner.token)
        late = await app.verify(stranger.token, "the stranger's secret")

        assert late.json["code"] == "invalid_verification_token"
        assert (await app.login()).status == 200
        assert (await app.login("the stranger's secret")).status == 401


async def test_a_known_address_gets_a_notice_and_the_answer_does_not_tell() -> None:
    async with flows(enumeration="hide") as app:
        new = await app.register()
        await app.verify((await app.mail("register")).token)
        app.clock.move(2)

        known = await app.register(EMAIL.upper(), NEW_PASSWORD)
        notice = await app.mail("already_registered")

        assert (known.status, known.json.keys(), known.headers) == (new.status, new.json.keys(), new.headers)
        assert len(known.body) == len(new.body)
        assert (notice.to, notice.token, notice.code, notice.link) == (EMAIL, "", "", "")
        assert (await app.login()).status == 200
        assert (await app.login(NEW_PASSWORD)).status == 401


async def test_a_login_wants_a_verified_address_where_that_is_required() -> None:
    async with flows(verification="required", enumeration="tell") as app:
        assert (await app.register()).status == 201
        assert (await app.register()).json["code"] == "user_exists"

        right, wrong = await app.login(), await app.login("wrong password")

        assert (right.status, right.json["code"]) == (403, "email_not_verified")
        assert (wrong.status, wrong.json["code"]) == (401, "invalid_credentials")
        await app.auth.users.set_verified((await app.auth.users.by_email(EMAIL)).id)
        assert (await app.login()).status == 200


async def test_the_mail_can_be_asked_for_again_after_a_while() -> None:
    async with flows() as app:
        await app.register()
        first = await app.mail("verify_email")

        again = await app.client.post("/auth/resend-verification", {"email": EMAIL})
        await app.no_more_mail()
        app.clock.move(61)
        later = await app.client.post("/auth/resend-verification", headers=await app.headers())
        second = await app.mail("verify_email")

        assert again.status == later.status == 202
        assert (await app.client.post("/auth/verify-email", {"token": first.token})).status == 400
        body = {"request": later.json["request"], "code": second.code}
        assert (await app.client.post("/auth/verify-email", body)).status == 204


async def test_a_verified_user_hears_so_only_when_logged_in() -> None:
    async with flows() as app:
        await app.verified()
        headers = await app.headers()
        app.clock.move(61)

        known = await app.client.post("/auth/resend-verification", {"email": EMAIL})
        unknown = await app.client.post("/auth/resend-verification", {"email": "eve@example.com"})
        own = await app.client.post("/auth/resend-verification", headers=headers)

        assert known.status == unknown.status == 202
        assert (own.status, own.json["code"]) == (409, "already_verified")
        assert (await app.client.post("/auth/resend-verification")).status == 401
        await app.no_more_mail()


@pytest.mark.parametrize("body", [{}, {"token": "x", "request": "y", "code": "1"}, {"code": "1"}, {"request": "y"}])
async def test_either_the_token_is_needed_or_the_code_with_its_request(body: dict[str, str]) -> None:
    async with flows() as app:
        assert (await app.client.post("/auth/verify-email", body)).status == 422


async def test_an_expired_token_is_refused() -> None:
    async with flows() as app:
        await app.register()
        token = (await app.mail("verify_email")).token
        app.clock.move(86401)

        assert (await app.client.post("/auth/verify-email", {"token": token})).status == 400


async def test_no_mail_is_sent_where_verification_is_off() -> None:
    async with flows(verification="off") as app:
        assert "verification" not in (await app.register()).json
        await app.no_more_mail()


def test_a_required_verification_needs_the_feature() -> None:
    with pytest.raises(ValueError, match="EmailVerification"):
        make_auth(features=[Passwords(), Sessions()], verification="required")


async def test_the_mail_speaks_the_language_of_the_browser() -> None:
    async with flows() as app:
        body = {"email": EMAIL, "password": PASSWORD}
        await app.client.post("/auth/register", body, headers={"accept-language": "de-AT, en;q=0.5"})

        assert (await app.mail("verify_email")).language == "de"


async def test_the_verified_session_goes_on_in_cookies_and_headers_alike() -> None:
    async with flows(passwords={"login_after_register": True}) as app:
        registered = (await app.register()).json
        headers = bearer(registered["tokens"]["access_token"])

        token = (await app.mail("verify_email")).token
        await app.client.post("/auth/verify-email", {"token": token}, headers=headers)

        assert (await app.client.get("/auth/me", headers=headers)).status == 200
