"""Password reset: by link or code, once, ending every session, telling no one which accounts exist."""

import asyncio
from typing import Any

import pytest

from asgi_auth import Pages, PasswordReset
from asgi_auth.errors import InvalidCredentialsError
from asgi_auth.model.records import Client
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.pages.flows import all_features
from tests.support import EMAIL, change_password, make_auth
from tests.support import login as log_in


async def ask(app: Flows, email: str = EMAIL) -> str:
    answer = await app.client.post("/auth/forgot-password", {"email": email})
    assert answer.status == 202
    return str(answer.json["request"])


async def reset(app: Flows, **fields: str) -> tuple[int, str]:
    answer = await app.client.post("/auth/reset-password", {"new_password": NEW_PASSWORD, **fields})
    return answer.status, answer.json["code"] if answer.body else ""


async def test_a_reset_sets_the_password_ends_all_sessions_and_logs_no_one_in() -> None:
    async with flows(features=all_features(Pages())) as app:
        await app.verified()
        old = await app.headers()
        await ask(app)
        mail = await app.mail("reset_password", EMAIL)

        answer = await app.client.post("/auth/reset-password", {"token": mail.token, "new_password": NEW_PASSWORD})

        assert (answer.status, answer.body, answer.cookies) == (204, b"", {})
        assert mail.link.startswith("https://app.example.com/auth/reset-password?token=")
        assert (await app.client.get("/auth/me", headers=old)).status == 401
        assert (await app.login()).status == 401
        assert (await app.login(NEW_PASSWORD)).status == 200
        assert (await app.mail("password_changed", EMAIL)).token == ""


async def test_a_code_works_for_the_one_who_asked_and_for_no_one_else() -> None:
    async with flows() as app:
        await app.verified()
        request = await ask(app)
        code = (await app.mail("reset_password")).code
        app.clock.move(61)
        other = await ask(app, "eve@example.com")

        assert await reset(app, request=other, code=code) == (400, "invalid_reset_token")
        assert await reset(app, request=request, code=code) == (204, "")


async def test_a_code_dies_after_five_guesses_and_the_link_does_not() -> None:
    async with flows() as app:
        await app.verified()
        request = await ask(app)
        mail = await app.mail("reset_password")
        wrong = f"{(int(mail.code) + 1) % 10**8:08d}"

        for _ in range(5):
            assert await reset(app, request=request, code=wrong) == (400, "invalid_reset_token")

        assert await reset(app, request=request, code=mail.code) == (400, "invalid_reset_token")
        assert await reset(app, token=mail.token) == (204, "")


async def test_of_many_concurrent_resets_exactly_one_succeeds() -> None:
    async with flows() as app:
        await app.verified()
        await ask(app)
        token = (await app.mail("reset_password")).token

        answers = await asyncio.gather(*(reset(app, token=token) for _ in range(32)))

        assert sorted(status for status, _ in answers) == [204] + [400] * 31


async def test_a_token_is_neither_another_purposes_nor_forged_nor_late() -> None:
    async with flows() as app:
        await app.register()
        verification = (await app.mail("verify_email")).token
        await ask(app)
        token = (await app.mail("reset_password")).token

        for bad in (verification, token[:-1], token + "=", token.swapcase(), "x" * 43, "é", token.partition(".")[0]):
            assert await reset(app, token=bad) == (400, "invalid_reset_token")
        app.clock.move(901)
        assert await reset(app, token=token) == (400, "invalid_reset_token")


async def test_a_password_that_breaks_the_policy_uses_nothing_up() -> None:
    async with flows() as app:
        await app.verified()
        await ask(app)
        token = (await app.mail("reset_password")).token

        answer = await app.client.post("/auth/reset-password", {"token": token, "new_password": "password1"})

        assert (answer.status, list(answer.json["errors"])) == (422, ["new_password"])
        assert await reset(app, token=token) == (204, "")


async def test_a_changed_password_voids_the_link_and_a_new_link_the_old() -> None:
    async with flows() as app:
        await app.verified()
        await ask(app)
        first = (await app.mail("reset_password")).token
        app.clock.move(61)
        await ask(app)
        second = (await app.mail("reset_password")).token

        assert await reset(app, token=first) == (400, "invalid_reset_token")
        assert (await change_password(app.client, await log_in(app.auth), "the third of them")).status == 204
        assert await reset(app, token=second) == (400, "invalid_reset_token")


async def test_the_answer_tells_nothing_and_only_an_active_account_gets_a_token() -> None:
    async with flows() as app:
        for name in ("active", "disabled", "closed"):
            await app.verified(f"{name}@example.com")
            user = await app.auth.users.by_email(f"{name}@example.com")
            await app.auth.users.set_status(user.id, name)
        app.clock.move(61)

        answers = [
            await app.client.post("/auth/forgot-password", {"email": f"{name}@example.com"})
            for name in ("active", "disabled", "closed", "unknown")
        ]
        mail = await app.mail("reset_password")
        notices = [await app.mail(f"account_is_{name}", f"{name}@example.com") for name in ("disabled", "closed")]
        await app.no_more_mail()

        assert [(notice.token, notice.code, notice.link) for notice in notices] == [("", "", "")] * 2
        assert {(answer.status, len(answer.body), tuple(answer.headers)) for answer in answers} == {
            (202, len(answers[0].body), tuple(answers[0].headers))
        }
        assert mail.to == "active@example.com"


async def test_an_account_that_was_disabled_meanwhile_is_not_reset() -> None:
    async with flows() as app:
        await app.verified()
        await ask(app)
        token = (await app.mail("reset_password")).token
        await app.auth.users.set_status((await app.auth.users.by_email(EMAIL)).id, "disabled")

        assert await reset(app, token=token) == (400, "invalid_reset_token")


async def test_mails_keep_quiet_and_are_bounded_by_the_day() -> None:
    async with flows() as app:
        await app.verified()
        for _ in range(20):
            await ask(app)
            app.clock.move(30)
        await app.auth.mail.idle()

        assert [mail.purpose for mail in app.outbox.mails] == ["reset_password"] * 5


async def test_asking_changes_nothing_about_the_account() -> None:
    async with flows() as app:
        await app.verified()
        headers = await app.headers()

        await ask(app)

        assert (await app.login()).status == 200
        assert (await app.client.get("/auth/me", headers=headers)).status == 200


async def test_links_come_from_the_configuration_only() -> None:
    async with flows(features=all_features(Pages())) as app:
        await app.verified()
        poison = [("x-forwarded-host", "evil.example"), ("forwarded", "host=evil.example"), ("host", "evil.example")]

        await app.client.post("/auth/forgot-password", {"email": EMAIL}, headers=poison)

        mail = await app.mail("reset_password")
        assert mail.link.startswith("https://app.example.com/auth/reset-password?token=")
        assert "evil" not in mail.text + mail.html


async def test_a_reset_proves_the_address() -> None:
    async with flows() as app:
        await app.register()
        await ask(app)

        await reset(app, token=(await app.mail("reset_password")).token)

        assert (await app.auth.users.by_email(EMAIL)).email_verified is True


async def test_a_page_of_the_hosts_own_may_be_linked() -> None:
    async with flows() as app:
        app.auth[PasswordReset].purpose.link = "https://spa.example.com/#/reset/{token}"
        await app.verified()
        await ask(app)

        mail = await app.mail("reset_password")

        assert mail.link == f"https://spa.example.com/#/reset/{mail.token}"


@pytest.mark.parametrize("options", [{"ttl": 0}, {"quiet": -1}, {"link": "https://spa.example.com/reset"}])
def test_settings_that_can_not_work_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ttl|quiet|token"):
        PasswordReset(**options)


def test_the_feature_needs_passwords() -> None:
    with pytest.raises(ValueError, match="needs a PasswordService"):
        make_auth(features=[PasswordReset()])


async def test_a_login_that_verified_the_old_password_gets_no_session_after_the_reset() -> None:
    async with flows() as app:
        await app.verified()
        await ask(app)
        token = (await app.mail("reset_password")).token
        user = await app.auth.users.by_email(EMAIL)
        credential = await app.auth.storage.credential(user.id, "password")
        assert credential is not None

        await reset(app, token=token)

        with pytest.raises(InvalidCredentialsError):
            await app.auth.login(user, credential, amr=("pwd",), client=Client())
