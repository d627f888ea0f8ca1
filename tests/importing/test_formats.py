"""Exports of other systems, in their documented form: users keep ids, addresses, status, roles and passwords."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Field
from asgi_auth.importing import Refusal, import_users
from asgi_auth.importing.formats import FORMATS, Context
from asgi_auth.importing.times import seconds_of
from asgi_auth.storage import Names, from_url
from tests.importing.users import HASHED, UUID, importing, users_of
from tests.support import PASSWORD, login

SAMPLES = json.loads((Path(__file__).parents[1] / "crypto" / "samples" / "hashes.json").read_text("utf-8"))
HASHES: dict[str, str] = {sample["system"]: sample["hash"] for sample in SAMPLES["samples"]}
OLD: str = SAMPLES["password"]


def hash_of(system: str) -> str:
    return next(text for name, text in HASHES.items() if name.startswith(system))


def bare(text: str) -> str:
    """Base64 as passlib writes it, in the usual alphabet."""
    text = text.replace(".", "+")
    return text + "=" * (-len(text) % 4)


def of_keycloak(**changes: Any) -> dict[str, Any]:
    _, _, rounds, salt, digest = hash_of("passlib 1.7.4 pbkdf2_sha512").split("$")
    credential = {
        "id": "c",
        "type": "password",
        "secretData": json.dumps({"value": bare(digest), "salt": bare(salt), "additionalParameters": {}}),
        "credentialData": json.dumps({"hashIterations": int(rounds), "algorithm": "pbkdf2-sha512"}),
    }
    user = {
        "id": UUID,
        "username": "ada",
        "firstName": "Ada",
        "email": "ada@example.com",
        "emailVerified": True,
        "createdTimestamp": 1577836800123,
        "enabled": True,
        "totp": False,
        "attributes": {"city": ["London"]},
        "credentials": [{"type": "otp"}, credential],
        "realmRoles": ["manager", "offline_access"],
    }
    return user | changes


FIREBASE = hash_of("firebase-scrypt")
PARAMETERS = """hash_config {
  algorithm: SCRYPT,
  base64_signer_key: SIGNER,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}""".replace("SIGNER", FIREBASE.partition("sk=")[2].partition("$")[0])


def of_firebase(**changes: Any) -> dict[str, Any]:
    salt, digest = FIREBASE.split("$")[-2:]
    user = {
        "localId": "kP3fVc8XWAa1",
        "email": "ada@example.com",
        "emailVerified": True,
        "passwordHash": digest.replace("+", "-").replace("/", "_"),
        "salt": salt,
        "displayName": "Ada",
        "createdAt": "1577836800123",
        "customAttributes": '{"manager": true, "level": 3}',
        "providerUserInfo": [],
    }
    return user | changes


def of_auth0(**changes: Any) -> dict[str, Any]:
    user = {
        "_id": {"$oid": "60425dc43519d90068f82973"},
        "email_verified": True,
        "email": "ada@example.com",
        "passwordHash": HASHED,
        "password_set_date": {"$date": "2021-03-05T16:32:52.318Z"},
        "tenant": "dev",
        "connection": "Users",
        "created_at": "2020-01-01T00:00:00.123Z",
        "app_metadata": {"roles": ["manager"]},
        "user_metadata": {"city": "London"},
        "name": "Ada",
    }
    return user | changes


def of_supabase(**changes: Any) -> dict[str, Any]:
    user = {
        "instance_id": "00000000-0000-0000-0000-000000000000",
        "id": UUID,
        "aud": "authenticated",
        "role": "authenticated",
        "email": "ada@example.com",
        "encrypted_password": HASHED,
        "email_confirmed_at": "2020-01-01 00:00:00+00",
        "raw_app_meta_data": '{"provider": "email", "role": "manager"}',
        "raw_user_meta_data": '{"name": "Ada", "city": "London"}',
        "created_at": "2020-01-01 00:00:00.123456+00",
        "banned_until": None,
        "deleted_at": None,
    }
    return user | changes


def of_django(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "password": hash_of("Django 5.2.19 pbkdf2_sha256"),
        "last_login": None,
        "is_superuser": True,
        "username": "ada",
        "first_name": "Ada",
        "email": "ada@example.com",
        "is_staff": True,
        "is_active": True,
        "date_joined": "2020-01-01T00:00:00Z",
        "groups": [],
        "user_permissions": [],
    }
    return {"model": "auth.user", "pk": 17, "fields": fields | changes}


def of_better_auth(**changes: Any) -> dict[str, Any]:
    user = {
        "id": "5f7pXbQ2mJkLrTnWvYzAaCdEfGhIjKlM",
        "name": "Ada",
        "email": "ada@example.com",
        "emailVerified": True,
        "image": None,
        "createdAt": "2020-01-01T00:00:00.000Z",
        "role": "manager,user",
        "banned": None,
        "password": hash_of("better-auth"),
    }
    return user | changes


#: Each format with a record of it, its id, and what stands for a verified address, for a role and for extra fields.
CASES: list[tuple[str, Any, str, str]] = [
    ("keycloak", of_keycloak, UUID, "manager"),
    ("firebase", of_firebase, "kP3fVc8XWAa1", "manager"),
    ("auth0", of_auth0, "auth0|60425dc43519d90068f82973", "manager"),
    ("supabase", of_supabase, UUID, "manager"),
    ("django", of_django, "17", "is_superuser"),
    ("better-auth", of_better_auth, "5f7pXbQ2mJkLrTnWvYzAaCdEfGhIjKlM", "manager"),
]
OPTIONS: dict[str, dict[str, Any]] = {"firebase": {"firebase": PARAMETERS}}


@pytest.mark.parametrize(("name", "make", "user_id", "flag"), CASES, ids=[case[0] for case in CASES])
async def test_a_user_moves_with_id_status_role_and_password(name: Any, make: Any, user_id: str, flag: str) -> None:
    fields = [Field("name"), Field("city"), Field("first_name")]
    async with importing(fields=fields, storage=from_url("sqlite://", Names(foreign_ids=True))) as auth:
        options = OPTIONS.get(name, {})
        report = await import_users(auth, [make()], format=name, roles={flag: "admin"}, **options)

        assert report.refusals == []
        [user] = await users_of(auth)
        assert (user.id, user.email, user.status, user.roles) == (user_id, "ada@example.com", "active", ("admin",))
        assert (user.email_verified, user.created_at) == (name != "django", 1577836800)
        assert "Ada" in {user.data["name"], user.data["first_name"]}
        await login(auth, password=PASSWORD if name in {"auth0", "supabase"} else OLD)


@pytest.mark.parametrize(("name", "make", "user_id", "flag"), CASES, ids=[case[0] for case in CASES])
async def test_roles_are_given_only_where_the_caller_maps_them(name: Any, make: Any, user_id: str, flag: str) -> None:
    async with importing() as auth:
        await import_users(auth, [make()], format=name, new_ids=True, **OPTIONS.get(name, {}))

        [user] = await users_of(auth)
        assert (user.roles, user.data, user.id == user_id, flag in user.roles) == ((), {}, False, False)


OFF: list[tuple[str, dict[str, Any]]] = [
    ("keycloak", of_keycloak(enabled=False)),
    ("firebase", of_firebase(disabled=True)),
    ("auth0", of_auth0(blocked=True)),
    ("supabase", of_supabase(banned_until="2999-01-01 00:00:00+00")),
    ("supabase", of_supabase(banned_until="no time")),
    ("django", of_django(is_active="f")),
    ("better-auth", of_better_auth(banned="true")),
]


@pytest.mark.parametrize(("name", "record"), OFF)
async def test_an_account_that_was_off_stays_off(name: Any, record: dict[str, Any]) -> None:
    async with importing() as auth:
        await import_users(auth, [record], format=name, new_ids=True, **OPTIONS.get(name, {}))

        assert [user.status for user in await users_of(auth)] == ["disabled"]


UNVERIFIED: list[tuple[str, dict[str, Any]]] = [
    ("keycloak", of_keycloak(emailVerified=False)),
    ("firebase", of_firebase(emailVerified=None)),
    ("auth0", of_auth0(email_verified=False)),
    ("supabase", of_supabase(email_confirmed_at=None)),
    ("better-auth", of_better_auth(emailVerified=0)),
]


@pytest.mark.parametrize(("name", "record"), UNVERIFIED)
async def test_an_address_is_verified_only_if_the_record_says_so(name: Any, record: dict[str, Any]) -> None:
    async with importing() as auth:
        await import_users(auth, [record], format=name, new_ids=True, **OPTIONS.get(name, {}))

        assert [user.email_verified for user in await users_of(auth)] == [False]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("keycloak", of_keycloak(enabled="perhaps"), "enabled: neither true nor false"),
    ("keycloak", of_keycloak(credentials=[{"type": "password"}]), "the hash has no format that is known"),
    ("keycloak", of_keycloak(email=None), "the record has no address"),
    ("firebase", of_firebase(passwordHash="%"), "the hash is damaged"),
    ("supabase", of_supabase(deleted_at="2020-01-01 00:00:00+00"), "the user was deleted"),
    ("django", of_django(email=""), "the record has no address"),
]


@pytest.mark.parametrize(("name", "record", "reason"), REFUSED)
async def test_what_cannot_be_moved_is_named(name: Any, record: dict[str, Any], reason: str) -> None:
    async with importing() as auth:
        report = await import_users(auth, [record], format=name, new_ids=True, **OPTIONS.get(name, {}))

    assert report.refusals == [Refusal(1, reason)]


async def test_a_hash_of_firebase_needs_the_parameters_of_the_project() -> None:
    async with importing() as auth:
        report = await import_users(auth, [of_firebase()], format="firebase", new_ids=True)

    assert report.refusals == [Refusal(1, "the hash needs the hash parameters of the Firebase project")]


async def test_objects_of_other_models_of_django_are_no_users() -> None:
    unusable = of_django(password="!" + "x" * 40)
    async with importing() as auth:
        session = {"model": "sessions.session", "pk": "x", "fields": {"session_data": "y"}}
        report = await import_users(auth, [session, unusable], format="django", new_ids=True)

        assert (report.read, report.made) == (1, 1)
        assert await auth.storage.credentials((await users_of(auth))[0].id) == []


def test_argon2_of_keycloak_is_written_as_usual() -> None:
    more = {"hashLength": ["32"], "memory": ["7168"], "type": ["id"], "version": ["1.3"], "parallelism": ["1"]}
    secret = {"value": base64.b64encode(bytes(32)).decode(), "salt": base64.b64encode(bytes(16)).decode()}
    about = {"hashIterations": 5, "algorithm": "argon2", "additionalParameters": more}
    credential = {"type": "password", "secretData": json.dumps(secret), "credentialData": json.dumps(about)}

    found = FORMATS["keycloak"](of_keycloak(credentials=[credential]), Context())

    assert found is not None
    assert found["password_hash"] == f"$argon2id$v=19$m=7168,t=5,p=1${'A' * 22}${'A' * 43}"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("value", [None, 17, "x", [], {}, [[]], {"fields": 17}, {"$oid": []}, True, 1e308, "\ud800"])
async def test_no_value_of_any_member_breaks_an_import(name: Any, value: object) -> None:
    make = {case[0]: case[1] for case in CASES}.get(name, lambda: {"email": "a@example.com", "data": {}, "roles": []})
    record = make()
    broken = [record | {member: value} for member in record]
    async with importing() as auth:
        report = await import_users(auth, broken, format=name, new_ids=True, **OPTIONS.get(name, {}))

    assert report.read <= len(broken)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(0, 0), (1577836800, 1577836800), (1577836800123, 1577836800), ("1577836800123", 1577836800), (1.5, 1),
     ("2020-01-01T01:00:00+01:00", 1577836800), ("2020-01-01 00:00:00", 1577836800), ("2020-01-01", 1577836800)],
)  # fmt: skip
def test_times_of_other_systems(value: object, seconds: int) -> None:
    assert seconds_of(value) == seconds
