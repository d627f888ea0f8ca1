"""`Passwords(import_hashes=True)`: users of another system log in with their passwords, and get hashes of today."""

import asyncio
import json
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from asgi_auth import Argon2, Auth, AuthMiddleware, Passwords
from asgi_auth.errors import InvalidCredentialsError
from asgi_auth.feature import Credential, User, new_id
from asgi_auth.runtime import attach
from tests.support import Client, bearer, change_password, login, make_auth, who

FILE = json.loads((Path(__file__).parents[1] / "crypto" / "samples" / "hashes.json").read_text("utf-8"))
SAMPLES: dict[str, str] = {sample["system"]: sample["hash"] for sample in FILE["samples"]}
#: Those that take a few milliseconds.
FAST = [text for text in SAMPLES.values() if "argon2" not in text and not text.startswith("scrypt")]
OLD = "x" * 12


def importing(**passwords: Any) -> Auth:
    # At the usual priority: a busy machine would hardly ever run the threads.
    return make_auth(passwords={"import_hashes": True, "niceness": 0, **passwords})


async def imported(auth: Auth, email: str, secret: str) -> User:
    """Write a user of another system."""
    now = int(time.time())
    user = User(id=new_id(now), email=email, email_canonical=email, created_at=now, updated_at=now)
    credential = auth[Passwords].passwords.credential(user.id, secret)
    assert await auth.storage.add_user(user, credential)
    return user


async def stored(auth: Auth, user: User) -> Credential:
    found = await auth.storage.credential(user.id, "password")
    assert found is not None
    return found


async def test_a_user_of_another_system_logs_in_and_has_a_hash_of_today_after_it() -> None:
    async with importing() as auth:
        for number, secret in enumerate(FAST):
            user = await imported(auth, f"user{number}@example.com", secret)

            await login(auth, user.email, FILE["password"])

            assert (await stored(auth, user)).secret.startswith("$argon2id$v=19$m=8,t=1,p=1$")
            await login(auth, user.email, FILE["password"])
            with pytest.raises(InvalidCredentialsError):
                await login(auth, user.email, FILE["password"] + "x")


async def test_a_wrong_password_changes_nothing() -> None:
    async with importing() as auth:
        user = await imported(auth, "ada@example.com", SAMPLES["bcryptjs 3.0.3"])

        with pytest.raises(InvalidCredentialsError):
            await login(auth, user.email, "wrong password")

        assert (await stored(auth, user)).secret == SAMPLES["bcryptjs 3.0.3"]


async def test_of_many_first_logins_at_once_all_succeed_and_one_renews_the_hash() -> None:
    async with importing() as auth:
        user = await imported(auth, "ada@example.com", bcrypt.hashpw(OLD.encode(), bcrypt.gensalt(4)).decode())

        await asyncio.gather(*(login(auth, user.email, OLD) for _ in range(8)))

        assert (await stored(auth, user)).version == 2


async def test_a_foreign_hash_is_the_current_password_of_a_change(client: Client) -> None:
    async with importing() as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        user = await imported(auth, "ada@example.com", bcrypt.hashpw(OLD.encode(), bcrypt.gensalt(4)).decode())
        pair = await login(auth, user.email, OLD)

        assert (await change_password(client, pair, "another password here", OLD)).status == 204
        assert (await client.get("/auth/me", headers=bearer(pair))).status == 200


@pytest.mark.parametrize("secret", ["$2b$31$" + "." * 53, "scrypt:1073741824:8:1$s$" + "00" * 32, "plain", "$2b$", ""])
async def test_a_hash_that_cannot_be_used_is_a_wrong_password(secret: str) -> None:
    async with importing() as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        await imported(auth, "ada@example.com", secret)

        answer = await client.post("/auth/login", {"email": "ada@example.com", "password": OLD})

        assert (answer.status, answer.json["code"]) == (401, "invalid_credentials")


async def test_by_default_hashes_of_other_systems_match_nothing() -> None:
    async with make_auth() as auth:
        user = await imported(auth, "ada@example.com", bcrypt.hashpw(OLD.encode(), bcrypt.gensalt(4)).decode())

        with pytest.raises(InvalidCredentialsError):
            await login(auth, user.email, OLD)


@pytest.mark.parametrize("missing", ["bcrypt", "cryptography"])
def test_without_the_packages_the_option_is_an_error_that_names_the_extra(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attach, "find_spec", lambda name: None if name == missing else find_spec(name))

    with pytest.raises(ValueError, match=rf"needs {missing}: pip install 'asgi-auth\[import\]'"):
        Passwords(import_hashes=True)
    assert Passwords(argon2=Argon2.cheap())
