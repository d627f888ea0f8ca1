"""Accounts that administrators and scripts create, whatever the settings of registration say."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import Argon2, Auth, Field, Settings
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.errors import (
    AuthError,
    PasswordPolicyError,
    UserExistsError,
    UserIdExistsError,
    ValidationError,
)
from asgi_auth.mail import Outbox
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Event
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD, SECRET, login, make_auth, register

ID = "0192f0c1-d3e4-7a5b-8c6d-9e0f1a2b3c4d"


def events_of(auth: Auth) -> list[Event]:
    """All events from now on."""
    seen: list[Event] = []
    auth.on("*")(seen.append)
    return seen


@pytest.mark.parametrize("settings", [{"enumeration": "hide"}, {"enumeration": "tell", "verification": "required"}])
async def test_an_account_is_created_at_once_and_without_a_mail(settings: dict[str, Any]) -> None:
    outbox = Outbox()
    async with make_auth(mailer=outbox, **settings) as auth:
        seen = events_of(auth)

        user = await auth.users.create(" Ada@Example.com", password=PASSWORD, verified=True, roles=["admin", "admin"])

        assert (user.email, user.email_verified, user.roles) == ("Ada@example.com", True, ("admin",))
        assert user == await auth.users.by_email(EMAIL)
        assert (await login(auth)).access_token
        await auth.mail.idle()
        assert outbox.mails == []
        assert next((event.name, event.user_id) for event in seen) == (events.USER_CREATE, user.id)


async def test_a_hash_from_elsewhere_opens_the_account(auth: Auth) -> None:
    hashed = await PasswordHasher(Argon2(memory_cost=32, time_cost=2, testing=True)).hash("pw")

    await auth.users.create(EMAIL, password_hash=hashed)

    assert (await login(auth, password="pw")).access_token


@pytest.mark.parametrize(
    "hashed",
    [
        "", "pw", "$2b$12$abcdefghijklmnopqrstuv", "$2b$12$" + "a" * 53, "$argon2id$v=19$m=32,t=2",
        "$argon2id$v=19$m=9999999,t=2,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "$argon2id$v=19$m=32,t=200,p=1$c2FsdHNhbHRzYWx0$" + "A" * 43,
        "$argon2id$v=19$m=32,t=2,p=99$c2FsdHNhbHRzYWx0$" + "A" * 43, "x" * 5000,
    ],
)  # fmt: skip
async def test_a_hash_that_no_login_can_verify_is_refused_and_not_shown(auth: Auth, hashed: str) -> None:
    with pytest.raises(ValueError, match="hash") as refused:
        await auth.users.create(EMAIL, password_hash=hashed)

    assert not hashed[10:] or hashed[10:] not in str(refused.value)
    assert await auth.users.count() == 0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"password": "short"}, PasswordPolicyError),
        ({"password": "ada@example.com"}, PasswordPolicyError),
        ({"password": PASSWORD, "password_hash": "x"}, ValueError),
        ({"email": "no address"}, ValidationError),
        ({"id": "1"}, ValueError),
        ({"id": ID.upper()}, ValueError),
        ({"id": "00000000-0000-0000-0000-000000000000"}, ValueError),
        ({"roles": "admin"}, TypeError),
        ({"roles": ["r" * 2049]}, ValueError),
        ({"data": {"other": 1}}, ValidationError),
        ({"data": {"company": "\0"}}, ValidationError),
        ({"data": {}}, ValidationError),
        ({"data": {"company": ""}}, ValidationError),
    ],
)
async def test_what_cannot_be_stored_is_a_clear_error(options: dict[str, Any], error: type[Exception]) -> None:
    async with make_auth(fields=[Field("company", required=True), Field("credit", int, write="admin")]) as auth:
        with pytest.raises(error):
            await auth.users.create(**{"email": EMAIL, "data": {"company": "A"}, **options})

        assert await auth.users.count() == 0
        user = await auth.users.create(EMAIL, data={"company": "A", "credit": 3})
        assert user.data == {"company": "A", "credit": 3}


async def test_a_taken_address_or_id_is_a_clear_error(auth: Auth) -> None:
    await register(auth)
    await auth.users.create("bob@example.com", password=PASSWORD, id=ID)

    with pytest.raises(UserExistsError) as by_address:
        await auth.users.create("ADA@example.com", password=PASSWORD)
    with pytest.raises(UserIdExistsError):
        await auth.users.create("eve@example.com", password=PASSWORD, id=ID)

    assert by_address.value.code == "user_exists"
    assert await auth.users.count() == 2
    assert (await login(auth, "bob@example.com")).access_token


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_of_many_at_once_one_gets_the_address(driver: str, fresh: Callable[[str], str]) -> None:
    async with make_auth(fresh(driver)) as auth:

        async def create(number: int) -> str:
            try:
                await auth.users.create(EMAIL, id=str(uuid.UUID(int=2**100 + number // 2)))
            except AuthError as error:
                return error.code
            return "made"

        made = await asyncio.gather(*(create(number) for number in range(16)))

        assert sorted(set(made)) == ["made", "user_exists"]
        assert made.count("made") == await auth.users.count() == 1


async def test_without_the_feature_of_passwords_the_default_policy_holds() -> None:
    async with Auth("sqlite://", settings=Settings(secret=SECRET), features=[]) as auth:
        with pytest.raises(PasswordPolicyError):
            await auth.users.create(EMAIL, password="short")

        user = await auth.users.create(EMAIL, password=PASSWORD)

        credential = await auth.storage.credential(user.id, "password")
        assert credential is not None
        assert credential.secret.startswith("$argon2id$v=19$m=65536,t=3,p=1$")


async def test_an_account_without_a_password_has_none(auth: Auth) -> None:
    user = await auth.users.create(EMAIL)

    assert await auth.storage.credentials(user.id) == []
    with pytest.raises(AuthError, match="wrong"):
        await login(auth)


async def test_a_new_password_ends_sessions_and_mailed_tokens() -> None:
    async with make_auth() as auth:
        user_id = await register(auth)
        await login(auth)
        seen = events_of(auth)

        await auth.users.set_password(user_id, "another battery staple")

        assert await auth.users.sessions(user_id) == []
        assert (await login(auth, password="another battery staple")).access_token
        assert events.PASSWORD_CHANGE in [event.name for event in seen]
        for wrong in ({"password": "short"}, {"password": None}, {"password": "x", "password_hash": "y"}):
            with pytest.raises((PasswordPolicyError, ValueError)):
                await auth.users.set_password(user_id, **wrong)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"email": 5}, "email must be a text"),
        ({"password": 5}, "password must be a text or None"),
        ({"password_hash": b"x"}, "password_hash must be a text or None"),
        ({"verified": "no"}, "verified must be True or False"),
        ({"data": "x"}, "data must be a mapping, and is of the type str"),
        ({"data": ["nick"]}, "data must be a mapping, and is a list of str"),
        ({"data": {5: 1}}, "data must be a mapping, and is a dict of int"),
        ({"id": 5}, "id must be a text or None"),
        ({"roles": 5}, "roles are a list of names"),
        ({"roles": [5]}, "roles are a list of names"),
    ],
)
async def test_a_value_of_another_type_is_named(auth: Auth, options: dict[str, Any], text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"^{text}"):
        await auth.users.create(**{"email": "new@example.com"} | options)
    assert await auth.users.count() == 0


async def test_a_flag_of_another_type_changes_nothing(auth: Auth) -> None:
    user = await auth.users.create(EMAIL, password=PASSWORD, verified=True)
    before = await auth.users.get(user.id)
    wrong: Any = "no"

    for change in (
        auth.users.set_verified(user.id, verified=wrong),
        auth.users.ban(user.id, tell=wrong),
        auth.users.reset_password(user.id, everything=wrong),
        auth.users.list(status=wrong),
        auth.users.count(status=wrong),
    ):
        with pytest.raises(ValueError, match="must be"):
            await change
    assert await auth.users.get(user.id) == before
