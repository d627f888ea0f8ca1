"""Invitations: a mailed link sets a password once, and inviter, user and roles are judged again then."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from asgi_auth import Auth, Field, Invitations, MagicLink, Outbox, PasswordReset, Passwords
from asgi_auth.errors import (
    AuthError,
    InvalidOneTimeTokenError,
    PasswordPolicyError,
    UserExistsError,
    ValidationError,
)
from asgi_auth.features.defaults import defaults
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, cheap, make_auth, register

PERMISSIONS = {"admin": ["*"], "editor": ["posts:write"], "helper": ["users:write", "users:roles", "users:read"]}
DAY = 86400


@pytest.fixture
async def app() -> AsyncIterator[Flows]:
    async with flows(features=[*cheap(mail=True), MagicLink()]) as made:
        yield made


async def token_of(app: Flows, to: str = EMAIL) -> str:
    return (await app.mail("invitation", to)).token


async def accept(auth: Auth, token: str, password: str = NEW_PASSWORD) -> None:
    await auth[Invitations].accept_invitation(token=token, new_password=password)


async def refused(auth: Auth, token: str, password: str = NEW_PASSWORD) -> None:
    """A link that is not valid, whatever the reason is."""
    with pytest.raises(InvalidOneTimeTokenError):
        await accept(auth, token, password)


async def test_an_invitation_sets_the_password_over_http(app: Flows) -> None:
    user = await app.auth.users.invite(EMAIL, roles=["editor"])
    assert (user.roles, user.email_verified) == ((), False)
    mail = await app.mail("invitation", EMAIL)
    assert mail.code in {"", mail.token}

    answer = await app.client.post("/auth/accept-invitation", {"token": mail.token, "new_password": NEW_PASSWORD})

    assert (answer.status, answer.body, answer.all("set-cookie")) == (204, b"", [])
    user = await app.auth.users.get(user.id)
    assert (user.roles, user.email_verified) == (("editor",), True)
    assert (await app.login(NEW_PASSWORD)).status == 200


async def test_a_link_works_once_and_for_seven_days(app: Flows) -> None:
    await app.auth.users.invite(EMAIL)
    token = await token_of(app)
    app.clock.move(7 * DAY - 1)
    await accept(app.auth, token)
    await refused(app.auth, token, "yet another battery")

    await app.auth.users.invite("bob@example.com")
    token = await token_of(app, "bob@example.com")
    app.clock.move(7 * DAY)
    await refused(app.auth, token)


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_of_many_that_accept_at_once_one_sets_the_password(driver: str, fresh: Callable[[str], str]) -> None:
    async with flows(fresh(driver)) as app:
        await app.auth.users.invite(EMAIL, roles=["editor"])
        token = await token_of(app)

        async def attempt(number: int) -> str:
            try:
                await accept(app.auth, token, f"battery staple number {number}")
            except AuthError as error:
                return error.code
            return str(number)

        outcomes = await asyncio.gather(*(attempt(number) for number in range(8)))

        [winner] = [found for found in outcomes if found.isdigit()]
        assert sorted({*outcomes} - {winner}) == ["invalid_one_time_token"]
        assert (await app.login(f"battery staple number {winner}")).status == 200


async def ban_and_unban(app: Flows, user_id: str) -> None:
    await app.auth.users.ban(user_id)
    await app.auth.users.unban(user_id)


async def reset(app: Flows) -> None:
    await app.auth[PasswordReset].forgot_password(email=EMAIL)
    token = (await app.mail("reset_password")).token
    await app.auth[PasswordReset].reset_password(token=token, new_password="fourth battery staple")


async def magic(app: Flows) -> None:
    await app.auth[MagicLink].magic_link(email=EMAIL)
    await app.auth[MagicLink].magic_link_login(token=(await app.mail("magic_link")).token)


#: What voids an invitation that is out.
ENDS: dict[str, Callable[[Flows, str], Awaitable[object]]] = {
    "another invitation": lambda app, _: app.auth.users.invite(EMAIL),
    "a new address": lambda app, user_id: app.auth.users.set_email(user_id, "new@example.com"),
    "another spelling of the address": lambda app, user_id: app.auth.users.set_email(user_id, EMAIL.upper()),
    "a ban": lambda app, user_id: app.auth.users.ban(user_id),
    "a ban that was ended": ban_and_unban,
    "a password of the host": lambda app, user_id: app.auth.users.set_password(user_id, "third battery staple"),
    "a reset": lambda app, _: reset(app),
    "a login by a mailed link": lambda app, _: magic(app),
    "deletion": lambda app, user_id: app.auth.users.delete(user_id),
}


@pytest.mark.parametrize("end", ENDS)
async def test_an_invitation_is_void_after(app: Flows, end: str) -> None:
    user = await app.auth.users.invite(EMAIL, roles=["editor"])
    token = await token_of(app)

    await ENDS[end](app, user.id)

    await refused(app.auth, token)
    kept = await app.auth.users.find(user.id)
    assert kept is None or kept.roles == ()


async def test_the_newest_of_two_invitations_works_with_its_roles(app: Flows) -> None:
    user = await app.auth.users.invite(EMAIL, roles=["admin"])
    first = await token_of(app)
    again = await app.auth.users.invite(EMAIL.upper(), roles=["editor"])
    assert again.id == user.id

    await refused(app.auth, first)
    await accept(app.auth, await token_of(app))

    assert (await app.auth.users.get(user.id)).roles == ("editor",)


async def test_an_account_with_a_password_is_not_invited(app: Flows) -> None:
    user_id = await register(app.auth)

    with pytest.raises(UserExistsError):
        await app.auth.users.invite(EMAIL, roles=["admin"])

    assert (await app.auth.users.get(user_id)).roles == ()


async def test_a_bad_password_uses_no_token(app: Flows) -> None:
    await app.auth.users.invite(EMAIL)
    token = await token_of(app)

    for password in ("short", EMAIL):
        with pytest.raises(PasswordPolicyError):
            await accept(app.auth, token, password)

    await accept(app.auth, token)


async def test_the_link_is_for_this_purpose_alone(app: Flows) -> None:
    await app.auth.users.invite(EMAIL)
    invitation = await token_of(app)
    with pytest.raises(AuthError):
        await app.auth[PasswordReset].reset_password(token=invitation, new_password=NEW_PASSWORD)

    await app.auth[PasswordReset].forgot_password(email=EMAIL)
    await refused(app.auth, (await app.mail("reset_password")).token)
    for wrong in ("", "x", invitation[:-1], invitation + "A"):
        with pytest.raises(AuthError):
            await accept(app.auth, wrong)


async def test_extra_fields_come_with_an_invitation() -> None:
    async with flows(fields=[Field("company", required=True), Field("credit", int, write="admin")]) as app:
        with pytest.raises(ValidationError):
            await app.auth.users.invite(EMAIL)
        await app.auth.users.invite(EMAIL, data={"company": "A"})
        user = await app.auth.users.invite(EMAIL, data={"credit": 3})

        assert user.data == {"company": "A", "credit": 3}


async def test_the_mail_is_in_the_language_of_the_invitation() -> None:
    async with flows(language="de") as app:
        await app.auth.users.invite(EMAIL, language="en")
        assert "Choose a password" in (await app.mail("invitation")).text
        await app.auth.users.invite(EMAIL)
        mail = await app.mail("invitation")
        assert "Wählen Sie ein Passwort" in mail.text
        assert "7 Tagen" in mail.text


async def test_the_link_leads_to_the_page_of_the_host() -> None:
    link = "https://app.example.com/welcome?t={token}"
    features = [item for item in cheap(mail=True) if not isinstance(item, Invitations)]
    async with flows(features=[*features, Invitations(link=link)]) as app:
        await app.auth.users.invite(EMAIL)
        mail = await app.mail("invitation")
        assert mail.link.startswith("https://app.example.com/welcome?t=")
        assert mail.code == ""


@pytest.mark.parametrize("options", [{"features": defaults(mail=False), "mailer": Outbox()}, {"mailer": None}])
async def test_without_the_feature_or_a_mailer_there_is_no_invitation(options: dict[str, Any]) -> None:
    async with make_auth(**options) as auth:
        with pytest.raises(ValueError, match="Invitations"):
            await auth.users.invite(EMAIL)
        assert await auth.users.count() == 0


async def test_a_password_that_came_in_another_way_stays(app: Flows) -> None:
    """Such as by an import, which voids no tokens."""
    user = await app.auth.users.invite(EMAIL)
    credential = app.auth[Passwords].passwords.credential(
        user.id, await app.auth[Passwords].passwords.hasher.hash("pw")
    )
    await app.auth.storage.add_credential(credential)

    await refused(app.auth, await token_of(app))

    assert (await app.login("pw")).status == 200
