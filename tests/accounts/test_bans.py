"""Bans: a reason, an end, and the account as it was before."""

import asyncio
from collections.abc import Callable

import pytest

from asgi_auth import Auth, PasswordReset, Passwords
from asgi_auth.errors import AccountDisabledError, InvalidCredentialsError, TokenRevokedError, UserNotFoundError
from asgi_auth.mail import Outbox
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Event, User
from asgi_auth.sessions.bans import lifted
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD, Client, Clock, bearer, login, make_auth, register


async def test_a_banned_user_is_out_and_told_what_the_administrator_wants(
    auth: Auth, client: Client, clock: Clock
) -> None:
    user_id, pair = await register(auth), await login(auth)
    until = int(clock()) + 3600

    await auth.users.ban(user_id, reason="Spam in three discussions", until=until, tell=True)

    with pytest.raises(TokenRevokedError):
        await auth.refresh(pair.refresh_token)
    refused = await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD})
    assert (refused.status, refused.json["code"]) == (403, "account_disabled")
    assert (refused.json["reason"], refused.json["until"]) == ("Spam in three discussions", until)
    wrong = await client.post("/auth/login", {"email": EMAIL, "password": "wrong password"})
    assert (wrong.status, wrong.json["code"]) == (401, "invalid_credentials")
    assert "Spam" not in wrong.body.decode()
    assert (await client.get("/auth/me", headers=bearer(pair))).status == 401


async def test_the_reason_is_not_told_by_default(auth: Auth, client: Client) -> None:
    await auth.users.ban(await register(auth), reason="suspected fraud", until=2**33)

    refused = await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD})

    assert refused.status == 403
    assert not {"reason", "until"} & refused.json.keys()


async def test_a_ban_ends_at_its_time_by_the_next_login(auth: Auth, clock: Clock) -> None:
    user_id = await register(auth)
    old = await login(auth)
    await auth.users.ban(user_id, until=clock() + 60)

    clock.move(59)
    with pytest.raises(AccountDisabledError):
        await login(auth)
    clock.move(1)

    assert (await login(auth)).access_token
    assert (await auth.users.get(user_id)).status == "active"
    # What the ban has ended does not come back.
    with pytest.raises(TokenRevokedError):
        await auth.refresh(old.refresh_token)


async def test_a_ban_that_ended_before_it_began_lets_the_next_login_in(auth: Auth, clock: Clock) -> None:
    user_id = await register(auth)

    await auth.users.ban(user_id, until=clock() - 10)

    assert (await auth.users.get(user_id)).status == "disabled"
    assert (await login(auth)).access_token


async def test_a_wrong_password_ends_no_ban(auth: Auth, clock: Clock) -> None:
    user_id = await register(auth)
    await auth.users.ban(user_id, until=clock() - 10)

    with pytest.raises(InvalidCredentialsError):
        await login(auth, password="wrong password")

    assert (await auth.users.get(user_id)).status == "disabled"


async def test_a_ban_without_an_end_stays(auth: Auth, clock: Clock) -> None:
    await auth.users.ban(await register(auth), reason="for good")
    clock.move(10**8)

    with pytest.raises(AccountDisabledError):
        await login(auth)


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_the_purge_ends_bans_that_are_over(driver: str, fresh: Callable[[str], str], clock: Clock) -> None:
    async with make_auth(fresh(driver), clock=clock) as auth:
        users = [await auth.users.create(f"u{number}@example.com") for number in range(5)]
        for user, until in zip(users, (clock() - 5, clock(), clock() + 5, None, None), strict=True):
            await auth.users.ban(user.id, until=until)
        await auth.users.set_status(users[4].id, "disabled")

        assert await auth.users.end_bans(int(clock()), 1) == 1
        assert await auth.users.end_bans(int(clock()), 10) == 1
        assert await auth.users.end_bans(int(clock()), 10) == 0

        statuses = [(await auth.users.get(user.id)).status for user in users]
        assert statuses == ["active", "active", "disabled", "disabled", "disabled"]


async def test_a_purge_of_the_library_ends_bans(auth: Auth, clock: Clock) -> None:
    auth.purger.pause = 0
    user_id = await register(auth)
    await auth.users.ban(user_id, until=clock() - 1)

    assert await auth.purge() == 1
    assert (await auth.users.get(user_id)).status == "active"


async def test_a_forgotten_password_is_reset_after_the_ban(clock: Clock) -> None:
    outbox = Outbox()
    async with make_auth(mailer=outbox, clock=clock) as auth:
        user_id = await register(auth)
        await outbox.next("verify_email")
        await auth.users.ban(user_id, until=clock() + 60)
        clock.move(61)

        await auth[PasswordReset].forgot_password(email=EMAIL)

        assert (await outbox.next("reset_password")).token


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_new_ban_wins_over_the_end_of_an_old_one(
    driver: str, fresh: Callable[[str], str], clock: Clock
) -> None:
    """A login has read a ban that is over; before it ends the ban, an administrator begins another one."""
    async with make_auth(fresh(driver), clock=clock) as auth:
        user_id = await register(auth)
        stale = await auth.users.ban(user_id, until=clock() - 1)
        await auth.users.ban(user_id, reason="again")

        assert (await lifted(auth.storage, stale, int(clock()))).status == "disabled"
        assert (await auth.users.get(user_id)).status == "disabled"


async def test_many_logins_end_a_ban_once(auth: Auth, clock: Clock) -> None:
    user_id = await register(auth)
    await auth.users.ban(user_id, until=clock() - 1)

    pairs = await asyncio.gather(*(login(auth) for _ in range(8)))

    assert len({pair.refresh_token for pair in pairs}) == 8


async def test_an_account_that_was_closed_is_closed_after_its_ban(auth: Auth, clock: Clock) -> None:
    user_id = await register(auth)
    await auth.users.set_status(user_id, "closed")
    await auth.users.ban(user_id, until=clock() - 1)

    with pytest.raises(AccountDisabledError):
        await login(auth)
    assert (await auth.users.get(user_id)).status == "closed"


async def test_the_end_of_a_ban_by_an_administrator(auth: Auth) -> None:
    user_id = await register(auth)

    await auth.users.ban(user_id, reason="spam")
    assert (await auth.users.unban(user_id)).status == "active"
    assert (await login(auth)).access_token
    await auth.users.set_status(user_id, "disabled")
    # Not banned, but switched off by the host.
    assert (await auth.users.unban(user_id)).status == "disabled"


@pytest.mark.parametrize("status", ["active", "disabled", "closed"])
async def test_a_status_of_the_host_replaces_a_ban(auth: Auth, clock: Clock, status: str) -> None:
    user_id = await register(auth)
    await auth.users.ban(user_id, until=clock() - 1)

    await auth.users.set_status(user_id, status)  # type: ignore[arg-type]  # one of the words

    assert await auth.users.end_bans(int(clock()), 10) == 0
    assert (await auth.users.get(user_id)).status == status


async def test_the_user_sees_nothing_of_a_ban_that_is_over(auth: Auth, client: Client, clock: Clock) -> None:
    user_id = await register(auth)
    await auth.users.ban(user_id, reason="internal remark", by=None, until=clock() - 1)
    pair = await login(auth)

    for path in ("/auth/me", "/auth/me/export"):
        answer = await client.get(path, headers=bearer(pair))
        assert answer.status == 200
        assert "remark" not in answer.body.decode()
        assert "_ban" not in answer.body.decode()


async def test_a_field_cannot_write_a_ban(auth: Auth, client: Client) -> None:
    user_id, pair = await register(auth), await login(auth)

    answer = await client.request("PATCH", "/auth/me", json_body={"_ban": None}, headers=bearer(pair))
    assert answer.status == 422
    assert (await auth.users.get(user_id)).data == {}


async def test_what_other_hands_have_written_keeps_the_account_off(auth: Auth, clock: Clock) -> None:
    user_id = await register(auth)
    written: object
    for written in ("x", {"until": "soon"}, [], 7, {"before": "king", "until": 1}):
        await auth.storage.update_user(user_id, {"status": "disabled", "data": {"_ban": written}}, int(clock()))
        with pytest.raises(AccountDisabledError):
            await login(auth)


async def test_a_ban_names_its_author_in_the_events(auth: Auth) -> None:
    admin = await auth.users.create("boss@example.com", password=PASSWORD)
    by = await auth.authenticate((await login(auth, "boss@example.com")).access_token)
    user_id = await register(auth)
    await login(auth)
    seen: list[Event] = []
    auth.on("*")(seen.append)

    banned: User = await auth.users.ban(user_id, reason="spam", by=by)

    assert banned.data["_ban"]["by"] == admin.id
    assert {event.name for event in seen} == {events.SESSION_END, events.USER_CHANGE}
    assert {event.actor for event in seen} == {admin.id}
    assert len({event.client.request_id for event in seen}) == 1


async def test_a_reason_is_bounded_and_a_user_exists(auth: Auth) -> None:
    with pytest.raises(ValueError, match="1000"):
        await auth.users.ban(await register(auth), reason="x" * 1001)
    with pytest.raises(UserNotFoundError):
        await auth.users.ban("x")
    with pytest.raises(UserNotFoundError):
        await auth.users.unban("x")
    assert auth[Passwords]


@pytest.mark.parametrize("until", [-1, 1_795_955_414_764, 2**60, float("inf"), float("nan")])
async def test_an_end_that_no_calendar_has_is_refused(until: float, auth: Auth) -> None:
    user_id = await register(auth)
    with pytest.raises(ValueError, match="seconds since 1970"):
        await auth.users.ban(user_id, until=until)
    assert (await auth.users.get(user_id)).status == "active"


async def test_a_second_ban_keeps_the_status_from_before_the_first(auth: Auth, clock: Clock) -> None:
    user_id = await register(auth)
    await auth.users.set_status(user_id, "closed")
    for seconds in (60, 30):
        await auth.users.ban(user_id, until=clock() + seconds)

    clock.move(31)

    with pytest.raises(AccountDisabledError):
        await login(auth)
    assert (await auth.users.get(user_id)).status == "closed"


async def test_an_account_that_was_disabled_for_good_is_disabled_after_its_ban(auth: Auth, clock: Clock) -> None:
    user_id = await register(auth)
    await auth.users.set_status(user_id, "disabled")
    await auth.users.ban(user_id, until=clock() + 60)

    clock.move(61)

    with pytest.raises(AccountDisabledError):
        await login(auth)


async def test_the_end_of_one_ban_leaves_another_that_has_begun_meanwhile(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = await register(auth)
    await auth.users.ban(user_id, reason="first")
    stale = await auth.users.get(user_id)
    await auth.users.ban(user_id, reason="second")

    async def get(_: str) -> User:
        return stale

    monkeypatch.setattr(auth.users, "get", get)
    await auth.users.unban(user_id)

    user = await auth.users.find(user_id)
    assert user is not None
    assert (user.status, user.data["_ban"]["reason"]) == ("disabled", "second")


async def test_a_ban_from_before_does_not_come_back_with_a_status_of_the_host(auth: Auth, clock: Clock) -> None:
    user_id = await register(auth)
    await auth.users.ban(user_id, until=clock() + 60)
    for status in ("active", "disabled"):
        await auth.storage.update_user(user_id, {"status": status}, int(clock()))
        await auth.users.changed(user_id)

    clock.move(61)

    with pytest.raises(AccountDisabledError):
        await login(auth)
