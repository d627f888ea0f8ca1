"""Passwords: registering and logging in."""

import asyncio

import pytest

from asgi_auth import Argon2, Auth, AuthApp, Field, Passwords
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.errors import (
    AccountDisabledError,
    BusyError,
    InvalidCredentialsError,
    ValidationError,
)
from asgi_auth.feature import PasswordService
from asgi_auth.model.records import Client as Caller
from tests.support import EMAIL, PASSWORD, Client, CountingHasher, change_password, login, make_auth, register

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
NEW = "another horse battery"


# Registering


async def test_a_registration_shows_the_account_and_no_secret(auth: Auth, client: Client) -> None:
    answer = await client.post("/auth/register", {"email": "Ada@Example.com", "password": PASSWORD})

    user = answer.json["user"]
    assert (answer.status, answer.json.keys()) == (201, {"user"})
    assert user == {
        "id": user["id"],
        "email": "Ada@example.com",
        "email_verified": False,
        "roles": [],
        "data": {},
        "created_at": 1_800_000_000,
        "updated_at": 1_800_000_000,
        "last_login": None,
    }
    assert (await auth.users.by_email("ADA@EXAMPLE.COM")).id == user["id"]
    assert (await login(auth)).access_token


@pytest.mark.parametrize(
    "email", [EMAIL, "ADA@example.com", "ada@EXAMPLE.com", "\uff21da@example.com", "ada\uff20example.com"]
)
async def test_an_address_in_any_spelling_registers_once(client: Client, email: str) -> None:
    await client.post("/auth/register", ACCOUNT)

    answer = await client.post("/auth/register", {"email": email, "password": NEW})

    assert (answer.status, answer.json["code"]) == (409, "user_exists")


async def test_of_parallel_registrations_one_wins(client: Client) -> None:
    answers = await asyncio.gather(*(client.post("/auth/register", ACCOUNT) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [201] + [409] * 7


@pytest.mark.parametrize(
    "email", ["not-an-email", "ada@example.com,eve@example.com", "ada@example.com\r\nbcc: x", "a" * 255]
)
async def test_what_is_no_address_is_refused(client: Client, email: str) -> None:
    answer = await client.post("/auth/register", {"email": email, "password": PASSWORD})

    assert (answer.status, answer.json["errors"].keys()) == (422, {"email"})


@pytest.mark.parametrize("password", ["short", "password123", "ada@example.com", "x" * 1025, ""])
async def test_a_password_against_the_policy_is_refused_before_it_is_hashed(
    auth: Auth, client: Client, password: str
) -> None:
    hasher = auth[PasswordService].hasher = CountingHasher()

    answer = await client.post("/auth/register", {"email": EMAIL, "password": password})

    assert (answer.status, answer.json["errors"].keys()) == (422, {"password"})
    assert hasher.hashed == 0


@pytest.mark.parametrize(
    "name",
    ["roles", "status", "id", "email_verified", "data", "created_at", "is_admin", "user_id", "email_canonical"],
)
async def test_no_one_assigns_fields_of_the_library_s_own(client: Client, name: str) -> None:
    answer = await client.post("/auth/register", ACCOUNT | {name: "x"})

    assert (answer.status, answer.json["errors"]) == (422, {name: ["There is no such field."]})


FIELDS = [
    Field("nick", required=True, max_length=10, write="register"),
    Field("age", int),
    Field("theme", default="dark"),
    Field("credit", float, default=0.5, write="admin"),
]


async def test_extra_fields_are_checked_kept_and_shown() -> None:
    async with make_auth(fields=FIELDS) as auth:
        client = Client(AuthApp(auth))

        wrong = await client.post("/register", ACCOUNT | {"age": "old", "nick": "x" * 11, "credit": 1.0})
        missing = await client.post("/register", ACCOUNT)
        good = await client.post("/register", ACCOUNT | {"nick": "ada", "age": 36})

        assert wrong.json["errors"].keys() == {"age", "nick", "credit"}
        assert missing.json["errors"] == {"nick": ["This field is needed."]}
        data = {"nick": "ada", "age": 36, "theme": "dark", "credit": 0.5}
        assert good.json["user"]["data"] == data
        user = await auth.users.set_data(good.json["user"]["id"], credit=2.0)
        assert user.data == data | {"credit": 2.0}
        with pytest.raises(ValidationError) as caught:
            await auth.users.set_data(user.id, credit="much", other=1)
        assert caught.value.errors.keys() == {"credit", "other"}


# Logging in


async def test_unknown_wrong_and_malformed_get_one_answer_and_cost_one_hash_each(auth: Auth, client: Client) -> None:
    await register(auth)
    hasher = auth[PasswordService].hasher = CountingHasher()

    answers = [
        await client.post("/auth/login", {"email": email, "password": "wrong password"})
        for email in (EMAIL, "eve@example.com", "not an address", "a@b", "\u202e@example.com", "ada@example.com,x@y.z")
    ]

    assert {(answer.status, answer.body) for answer in answers} == {(401, answers[0].body)}
    assert {str(sorted(answer.headers)) for answer in answers} == {str(sorted(answers[0].headers))}
    assert answers[0].json["code"] == "invalid_credentials"
    assert [hashed is None for hashed in hasher.verified] == [False] + [True] * 5


async def test_the_password_is_compared_exactly(auth: Auth, client: Client) -> None:
    await register(auth)

    for password in (PASSWORD.upper(), PASSWORD + " ", " " + PASSWORD, PASSWORD[:-1], PASSWORD + "x" * 3000):
        assert (await client.post("/auth/login", {"email": EMAIL, "password": password})).status == 401


async def test_that_an_account_is_disabled_is_told_after_the_right_password_only(auth: Auth, client: Client) -> None:
    user_id = await register(auth)
    await auth.users.set_status(user_id, "disabled")

    wrong = await client.post("/auth/login", ACCOUNT | {"password": "wrong password"})
    right = await client.post("/auth/login", ACCOUNT)
    await auth.users.set_status(user_id, "active")
    again = await client.post("/auth/login", ACCOUNT)

    assert (wrong.json["code"], right.json["code"], again.status) == ("invalid_credentials", "account_disabled", 200)


async def test_a_hash_of_an_old_cost_is_renewed_by_the_login(auth: Auth) -> None:
    user_id = await register(auth)
    auth[PasswordService].hasher = PasswordHasher(Argon2(memory_cost=16, time_cost=1, testing=True))

    await login(auth)

    credential = await auth.storage.credential(user_id, "password")
    assert credential is not None
    assert "m=16,t=1,p=1" in credential.secret
    assert (await login(auth)).access_token


async def test_parallel_logins_that_renew_the_hash_all_succeed(auth: Auth) -> None:
    await register(auth)
    auth[PasswordService].hasher = PasswordHasher(Argon2(memory_cost=16, time_cost=1, testing=True))

    pairs = await asyncio.gather(*(login(auth) for _ in range(8)))

    assert len({pair.refresh_token for pair in pairs}) == 8


async def test_a_login_that_verified_the_old_password_leaves_no_session_after_a_change(
    auth: Auth, client: Client
) -> None:
    user_id = await register(auth)
    pair = await login(auth)
    hasher = auth[PasswordService].hasher = CountingHasher()

    async def change_meanwhile() -> None:
        assert (await change_password(client, pair, NEW)).status == 204

    hasher.after_verify = change_meanwhile
    answer = await client.post("/auth/login", ACCOUNT)

    assert (answer.status, answer.json["code"]) == (401, "invalid_credentials")
    assert len(await auth.storage.sessions(user_id, 0, 0)) == 1


async def test_a_user_disabled_while_the_password_is_verified_gets_no_session(auth: Auth) -> None:
    user_id = await register(auth)
    hasher = auth[PasswordService].hasher = CountingHasher()

    async def disable_meanwhile() -> None:
        await auth.users.set_status(user_id, "disabled")

    hasher.after_verify = disable_meanwhile
    with pytest.raises((InvalidCredentialsError, AccountDisabledError)):
        await login(auth)

    assert await auth.storage.sessions(user_id, 0, 0) == []


async def test_a_login_from_a_session_that_is_gone_for_good_succeeds(auth: Auth) -> None:
    await register(auth)

    pair = await auth[Passwords].login(email=EMAIL, password=PASSWORD, client=Caller(session_id="purged long ago"))

    assert (await auth.authenticate(str(pair.access_token))).is_authenticated


async def test_a_right_password_logs_in_when_its_hash_cannot_be_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with make_auth() as auth:
        await register(auth)
        hasher = auth[PasswordService].hasher

        async def busy(_: str) -> str:
            raise BusyError

        monkeypatch.setattr(hasher, "is_outdated", lambda _: True)
        monkeypatch.setattr(hasher, "hash", busy)

        assert await login(auth)
