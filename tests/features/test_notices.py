"""Notices: a user whose password has changed hears of it."""

from tests.features.flows import NEW_PASSWORD, flows
from tests.support import EMAIL, PASSWORD, bearer


async def test_a_change_of_the_password_is_told_in_the_language_of_the_browser() -> None:
    async with flows() as app:
        await app.verified()
        headers = await app.headers() | {"accept-language": "de"}

        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        await app.client.post("/auth/change-password", body, headers=headers)

        mail = await app.mail("password_changed", EMAIL)
        assert (mail.language, mail.token, mail.code, mail.link) == ("de", "", "", "")
        assert PASSWORD not in mail.text
        assert NEW_PASSWORD not in mail.text


async def test_a_user_who_was_deleted_meanwhile_gets_none() -> None:
    async with flows() as app:
        await app.verified()
        user = await app.auth.users.by_email(EMAIL)
        await app.auth.users.delete(user.id)

        await app.auth.emit("password_change", user_id=user.id)

        await app.no_more_mail()


async def test_a_session_that_ended_as_its_token_came_back_is_told_and_a_wrong_password_is_not() -> None:
    async with flows() as app:
        await app.verified()
        first = (await app.login()).json["refresh_token"]
        second = await app.client.post("/auth/refresh", {"refresh_token": first})
        await app.client.get("/auth/me", headers=bearer(second.json["access_token"]))
        app.clock.move(60)

        for _ in range(2):
            await app.client.post("/auth/refresh", {"refresh_token": first}, headers={"accept-language": "de"})

        mail = await app.mail("token_reuse", EMAIL)
        assert "zweimal verwendet" in mail.text
        assert first not in mail.text + mail.html
        wrong = {"current_password": "wrong", "new_password": NEW_PASSWORD}
        await app.client.post("/auth/change-password", wrong, headers=await app.headers())
        await app.no_more_mail()
