"""What five libraries before this one claim and do not do (features.md, 1.12): each here as a test that we own."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from asgi_auth import Auth, AuthApp, AuthMiddleware, Field
from asgi_auth.errors import TokenRevokedError
from asgi_auth.feature import PasswordService
from tests.sessions.forging import HEADER, forge
from tests.support import (
    EMAIL,
    PASSWORD,
    Client,
    Clock,
    CountingHasher,
    bearer,
    login,
    make_auth,
    register,
    who,
)

ACCOUNT = {"email": EMAIL, "password": PASSWORD}


async def test_logout_kills_the_refresh_token_too_unlike_mvp_auth(auth: Auth, client: Client) -> None:
    await register(auth)
    pair = await login(auth)

    await client.post("/auth/logout", headers=bearer(pair))

    with pytest.raises(TokenRevokedError):
        await auth.refresh(str(pair.refresh_token))


async def test_a_disabled_user_is_out_and_stays_out_unlike_mvp_auth(auth: Auth, client: Client) -> None:
    user_id = await register(auth)
    pair = await login(auth)

    await auth.users.set_status(user_id, "disabled")

    assert (await client.post("/auth/login", ACCOUNT)).json["code"] == "account_disabled"
    assert (await client.get("/auth/me", headers=bearer(pair))).status == 401
    assert (await client.post("/auth/refresh", {"refresh_token": pair.refresh_token})).status == 401


async def test_case_variants_of_an_address_are_one_account_unlike_mvp_auth(auth: Auth, client: Client) -> None:
    user_id = await register(auth)

    answer = await client.post("/auth/register", {"email": "ADA@Example.COM", "password": PASSWORD})

    assert answer.status == 409
    assert (await auth.users.by_email("Ada@EXAMPLE.com")).id == user_id


async def test_concurrent_refresh_logs_no_honest_user_out_unlike_mvp_auth(auth: Auth) -> None:
    await register(auth)
    pair = await login(auth)

    pairs = await asyncio.gather(*(auth.refresh(str(pair.refresh_token)) for _ in range(3)))

    assert len({item.refresh_token for item in pairs}) == 1
    assert await auth.refresh(str(pairs[0].refresh_token))


async def test_an_unknown_address_costs_the_same_hash_unlike_mvp_auth(auth: Auth, client: Client) -> None:
    hasher = auth[PasswordService].hasher = CountingHasher()

    answer = await client.post("/auth/login", ACCOUNT)

    assert (answer.status, hasher.verified) == (401, [None])


async def test_what_a_request_has_written_is_committed_unlike_in_mvp_auth(tmp_path: Path) -> None:
    file = tmp_path / "auth.db"
    auth = make_auth(f"sqlite:///{file}")
    client = Client(AuthApp(auth))

    answers = await asyncio.gather(
        *(client.post("/register", ACCOUNT | {"email": f"user{number}@example.com"}) for number in range(5))
    )
    other = sqlite3.connect(file)
    count = other.execute("SELECT count(*) FROM auth_users").fetchone()[0]
    other.close()
    await auth.close()

    assert [answer.status for answer in answers] == [201] * 5
    assert count == 5


def test_the_package_imports_with_its_declared_dependencies_unlike_mvp_auth() -> None:
    script = "import sys\nfor name in ('asyncpg', 'databases', 'cryptography'): sys.modules[name] = None\n"
    script += "import asgi_auth\nasgi_auth.Auth('sqlite://', secret='kV7-qWm2_zR9tYx4LbN8cPd3sGf6hJa1eUo5iTwQ0r')"

    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


async def test_logging_out_does_something_unlike_sign_out_of_auth101(auth: Auth, client: Client) -> None:
    await register(auth)
    pair = await login(auth)

    answer = await client.post("/auth/logout", headers=bearer(pair))

    assert answer.status == 204
    assert (await client.get("/auth/me", headers=bearer(pair))).json["code"] == "token_revoked"


@pytest.mark.parametrize(
    "account", [{"email": "not-an-email", "password": PASSWORD}, {"email": EMAIL, "password": "x"}]
)
async def test_addresses_and_passwords_are_validated_unlike_in_auth101(client: Client, account: dict[str, str]) -> None:
    assert (await client.post("/auth/register", account)).status == 422


async def test_the_same_bytes_come_back_however_it_is_mounted_unlike_in_auth101(auth: Auth) -> None:
    mounted, alone = Client(AuthMiddleware(who, auth, mount="/auth")), Client(AuthApp(auth))

    for body in ({}, ACCOUNT | {"more": 1}, ACCOUNT | {"password": "x"}):
        ours, theirs = await mounted.post("/auth/register", body), await alone.post("/register", body)
        assert (ours.status, ours.headers, ours.body) == (theirs.status, theirs.headers, theirs.body)


async def test_users_are_found_by_id_and_not_by_an_address_in_the_token_unlike_in_auth101(
    auth: Auth, client: Client
) -> None:
    user_id = await register(auth)
    pair = await login(auth)
    changes = {"email": "new@example.com", "email_canonical": "new@example.com"}

    await auth.storage.update_user(user_id, changes, 0)

    assert (await client.get("/auth/me", headers=bearer(pair))).json["email"] == "new@example.com"
    assert "email" not in (await auth.authenticate(str(pair.access_token))).claims


async def test_address_and_user_agent_of_a_session_are_written_unlike_in_auth101(auth: Auth, client: Client) -> None:
    await register(auth)
    pair = (await client.post("/auth/login", ACCOUNT, headers={"user-agent": "curl/8"})).json

    session = (await client.get("/auth/sessions", headers=bearer(pair["access_token"]))).json["sessions"][0]

    assert (session["address"], session["user_agent"]) == ("192.0.2.7", "curl/8")


async def test_a_token_without_type_is_no_access_token_unlike_in_auth101(auth: Auth, client: Client) -> None:
    await register(auth)
    claims = dict((await auth.authenticate(str((await login(auth)).access_token))).claims)

    token = forge({name: value for name, value in HEADER.items() if name != "typ"}, claims)

    assert (await client.get("/auth/me", headers=bearer(token))).json["code"] == "invalid_token"


async def test_a_guard_for_admins_checks_unlike_in_authly(auth: Auth) -> None:
    user_id = await register(auth)
    identity = await auth.authenticate(str((await login(auth)).access_token))

    with pytest.raises(Exception, match="may not"):
        identity.require(roles="admin")
    await auth.users.set_roles(user_id, ["admin"])
    assert (await auth.authenticate(str((await login(auth)).access_token))).require(roles="admin")


@pytest.mark.parametrize("more", [{"is_admin": True}, {"roles": ["admin"]}, {"email_verified": True}, {"level": 9}])
async def test_no_user_gets_more_roles_without_help_unlike_in_authly(more: dict[str, object]) -> None:
    async with make_auth(fields=[Field("level", int, write="admin")]) as auth:
        answer = await Client(AuthApp(auth)).post("/register", ACCOUNT | more)

    assert (answer.status, answer.json["errors"].keys()) == (422, more.keys())


@pytest.mark.parametrize("path", ["/users", "/users/", "/me", "/sessions", "/users/1"])
async def test_nothing_about_users_is_public_unlike_in_authly(auth: Auth, path: str) -> None:
    await register(auth)

    answer = await Client(AuthApp(auth)).get(path)

    assert answer.status in {401, 404}
    assert EMAIL not in answer.body.decode()


async def test_an_access_token_dies_with_the_logout_unlike_in_authly(auth: Auth, client: Client) -> None:
    await register(auth)
    pair = await login(auth)

    await client.post("/auth/logout-all", headers=bearer(pair))

    assert (await client.get("/", headers=bearer(pair))).json["error"] == "token_revoked"


async def test_no_token_and_no_password_stands_in_the_database_unlike_in_authly(tmp_path: Path) -> None:
    async with make_auth(f"sqlite:///{tmp_path}/auth.db") as auth:
        await register(auth)
        pair = await login(auth)
        second = await auth.refresh(str(pair.refresh_token))

    stored = await asyncio.to_thread(lambda: b"".join(file.read_bytes() for file in tmp_path.iterdir()))
    assert EMAIL.encode() in stored
    for token in (pair.access_token, pair.refresh_token, second.access_token, second.refresh_token):
        assert str(token).rpartition(".")[2].encode() not in stored
    assert PASSWORD.encode() not in stored


async def test_the_life_of_sessions_follows_the_settings_unlike_in_authly(clock: Clock) -> None:
    async with make_auth(clock=clock, session_ttl=3600, access_ttl=60) as auth:
        await register(auth)

        pair = await login(auth)

    assert (pair.expires_in, pair.refresh_expires_in) == (60, 3600)


async def test_errors_of_the_database_are_not_told_unlike_in_authly(tmp_path: Path) -> None:
    auth = make_auth(f"sqlite:///{tmp_path}/auth.db", auto_migrate=False)

    answer = await Client(AuthApp(auth)).post("/register", ACCOUNT)
    await auth.close()

    assert answer.status in {500, 503}
    assert not {"table", "sql", "auth_users"} & set(answer.body.decode().lower().split())


async def test_the_database_keeps_addresses_unique_unlike_in_pg_simple_auth(client: Client) -> None:
    answers = await asyncio.gather(*(client.post("/auth/register", ACCOUNT) for _ in range(5)))

    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize("name", ['nick", "roles', "nick) VALUES (1); --", "nick\x00"])
async def test_names_of_fields_never_become_sql_unlike_in_pg_simple_auth(client: Client, name: str) -> None:
    answer = await client.post("/auth/register", ACCOUNT | {name: "x"})

    assert (answer.status, answer.json["errors"]) == (422, {name: ["There is no such field."]})
