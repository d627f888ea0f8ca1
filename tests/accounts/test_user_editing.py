"""Changes by administrators: the address, the second factors, the sessions; each with its author in the events."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from asgi_auth import Auth, Field, PasswordReset, Totp
from asgi_auth.errors import AuthError, UserExistsError, UserNotFoundError, ValidationError
from asgi_auth.mail import Outbox
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Event
from tests.features.factors import a_world
from tests.support import EMAIL, PASSWORD, Clock, login, make_auth, register

NEW = "ada@new.example.com"


async def test_a_new_address_ends_sessions_and_mailed_tokens_and_tells_the_old_one(clock: Clock) -> None:
    outbox = Outbox()
    async with make_auth(mailer=outbox, clock=clock) as auth:
        user_id = await register(auth)
        pair = await login(auth)
        await outbox.next("verify_email")
        await auth[PasswordReset].forgot_password(email=EMAIL)
        token = (await outbox.next("reset_password")).token

        user = await auth.users.set_email(user_id, NEW.upper())

        assert (user.email, user.email_canonical, user.email_verified) == ("ADA@new.example.com", NEW, False)
        told = await outbox.next("email_changed")
        assert told.to == EMAIL
        assert "A…@new.example.com" in told.text
        assert NEW not in told.text
        for refused in (
            auth.refresh(pair.refresh_token),
            auth[PasswordReset].reset_password(token=token, new_password="another battery staple"),
            login(auth),
        ):
            with pytest.raises(AuthError):
                await refused
        assert (await login(auth, NEW)).access_token


async def test_an_address_that_is_taken_or_none_changes_nothing(auth: Auth) -> None:
    user_id, pair = await register(auth), await login(auth)
    await register(auth, "bob@example.com")

    with pytest.raises(UserExistsError):
        await auth.users.set_email(user_id, "BOB@example.com")
    with pytest.raises(ValidationError):
        await auth.users.set_email(user_id, "bob")
    with pytest.raises(UserNotFoundError):
        await auth.users.set_email("x", NEW)

    assert (await auth.users.get(user_id)).email == EMAIL
    assert (await auth.refresh(pair.refresh_token)).access_token


async def test_the_factors_of_a_user_go_together_and_sessions_have_shown_none() -> None:
    async with a_world() as world:
        auth, pair = world.auth, await world.turn_on()
        assert await auth.users.factors(world.user_id) == ["otp"]
        seen: list[Event] = []
        auth.on(events.FACTOR_REMOVE)(seen.append)

        assert await auth.users.delete_factors(world.user_id) == ["totp"]

        assert await auth.users.factors(world.user_id) == []
        [session] = [each for each in await auth.users.sessions(world.user_id) if "otp" in each.amr]
        assert "mfa" not in session.amr
        assert (await login(auth)).access_token
        assert [event.data["kind"] for event in seen] == ["totp"]
        assert await auth.users.delete_factors(world.user_id) == []
        assert pair.access_token


async def test_a_setup_that_is_open_ends_with_the_factors() -> None:
    async with a_world() as world:
        identity = await world.identity()
        await world.turn_on(identity)
        pending = await world.pending()

        await world.auth.users.delete_factors(world.user_id)

        with pytest.raises(AuthError) as refused:
            await world.auth[Totp].totp_login(pending=pending, code=world.code())
        assert refused.value.code == "pending_login_expired"


async def test_one_session_or_all_of_a_user_end(auth: Auth) -> None:
    user_id = await register(auth)
    first, second, other = await login(auth), await login(auth), await register(auth, "bob@example.com")
    sessions = await auth.users.sessions(user_id)

    assert await auth.users.end_sessions(other, only=sessions[0].id) == []
    assert await auth.users.end_sessions(user_id, only=sessions[0].id) == [sessions[0].id]
    assert await auth.users.end_sessions(user_id) == [sessions[1].id]
    with pytest.raises(UserNotFoundError):
        await auth.users.end_sessions("x")
    for pair in (first, second):
        with pytest.raises(AuthError):
            await auth.refresh(pair.refresh_token)


#: Every change, as an administrator makes it.
CHANGES: dict[str, Callable[[Auth, str, Any], Awaitable[object]]] = {
    "create": lambda auth, _, by: auth.users.create("new@example.com", by=by),
    "set_roles": lambda auth, user_id, by: auth.users.set_roles(user_id, ["editor"], by=by),
    "set_verified": lambda auth, user_id, by: auth.users.set_verified(user_id, by=by),
    "set_data": lambda auth, user_id, by: auth.users.set_data(user_id, by, nick="x"),
    "set_email": lambda auth, user_id, by: auth.users.set_email(user_id, NEW, by=by),
    "set_password": lambda auth, user_id, by: auth.users.set_password(user_id, "another battery staple", by=by),
    "set_status": lambda auth, user_id, by: auth.users.set_status(user_id, "disabled", by=by),
    "end_sessions": lambda auth, user_id, by: auth.users.end_sessions(user_id, by=by),
    "ban": lambda auth, user_id, by: auth.users.ban(user_id, by=by),
    "delete": lambda auth, user_id, by: auth.users.delete(user_id, by=by),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_every_change_names_its_author(name: str) -> None:
    async with make_auth(fields=[Field("nick")]) as auth:
        boss = await auth.users.create("boss@example.com", password=PASSWORD)
        by = await auth.authenticate((await login(auth, "boss@example.com")).access_token)
        user_id = await register(auth)
        await login(auth)
        seen: list[Event] = []
        auth.on("*")(seen.append)

        await CHANGES[name](auth, user_id, by)

        assert seen
        assert {event.actor for event in seen} == {boss.id}
        assert boss.id not in {event.user_id for event in seen}
