"""What registering tells about an address: by default nothing, wherever a mail can finish it."""

import time
from typing import Any

import pytest

from asgi_auth import Auth, AuthApp, Outbox, Passwords, Settings
from tests.support import EMAIL, ORIGIN, PASSWORD, SECRET, Answer, Client, Clock


def make(mailer: Any = None, clock: Clock | None = None, **settings: Any) -> Auth:
    """An `Auth` with nothing but its defaults."""
    made = Settings(secret=SECRET, base_url=ORIGIN, **settings)
    auth = Auth("sqlite://", settings=made, mailer=mailer, now=clock or time.time)
    auth.mail.pause = 0
    return auth


async def registered(client: Client, email: str = EMAIL) -> Answer:
    return await client.post("/register", {"email": email, "password": PASSWORD})


async def test_by_default_a_known_address_is_answered_like_a_new_one_and_its_owner_hears_of_it() -> None:
    outbox, clock = Outbox(), Clock()
    async with make(outbox, clock) as auth:
        client = Client(AuthApp(auth))
        await registered(client)
        await client.post(
            "/verify-email", {"token": (await outbox.next("register", EMAIL)).token, "password": PASSWORD}
        )
        clock.move(2)

        known, new = await registered(client), await registered(client, "eve@example.com")

        notice, invitation = await outbox.next("already_registered", EMAIL), await outbox.next("register")
        assert (known.status, known.json.keys(), known.headers) == (202, new.json.keys(), new.headers)
        assert (new.status, len(new.body)) == (202, len(known.body))
        assert (notice.token, invitation.to) == ("", "eve@example.com")


async def test_by_default_an_account_begins_when_its_address_is_proven() -> None:
    outbox = Outbox()
    async with make(outbox) as auth:
        client, login = Client(AuthApp(auth)), {"email": EMAIL, "password": PASSWORD}
        await registered(client)
        mail = await outbox.next("register", EMAIL)

        before = await client.post("/login", login)
        await client.post("/verify-email", {"token": mail.token, "password": PASSWORD})
        after = await client.post("/login", login)

        assert (before.status, before.json["code"], after.status) == (401, "invalid_credentials", 200)
        assert (await auth.users.by_email(EMAIL)).email_verified is True


async def test_without_mail_nothing_can_be_hidden() -> None:
    async with make() as auth:
        client = Client(AuthApp(auth))

        first, second = await registered(client), await registered(client)

    assert auth.conceals is False
    assert (first.status, second.status, second.json["code"]) == (201, 409, "user_exists")


async def test_it_tells_where_that_is_asked_for() -> None:
    async with make(Outbox(), enumeration="tell") as auth:
        client = Client(AuthApp(auth))

        first, second = await registered(client), await registered(client)

    assert (first.status, second.status) == (201, 409)


def test_hiding_without_verification_is_refused_and_the_mend_is_named() -> None:
    with pytest.raises(ValueError, match="enumeration='tell'"):
        make(Outbox(), verification="off")
    assert make(Outbox(), verification="off", enumeration="tell").conceals is False
    assert make(verification="off").conceals is False


def test_there_are_two_ways_only() -> None:
    with pytest.raises(ValueError, match="hide, tell"):
        make(enumeration="auto")
    assert Settings(secret=SECRET).enumeration == "hide"


async def test_a_registration_that_waits_for_its_mail_logs_no_one_in() -> None:
    outbox = Outbox()
    async with make(outbox) as auth:
        auth[Passwords].login_after_register = True

        answer = await registered(Client(AuthApp(auth)))

        assert answer.json.keys() == {"request", "expires_in"}
