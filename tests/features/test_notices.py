"""Notices: whoever's password has changed hears of it."""

from tests.features.flows import NEW_PASSWORD, flows
from tests.support import EMAIL, PASSWORD


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
