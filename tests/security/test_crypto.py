"""Keys and chance: nothing twice, not even after a fork; keys change without a logout of any user."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import argon2

from asgi_auth import Argon2, Auth, AuthMiddleware, Settings
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.model.records import new_id
from tests.support import SECRET, Client, Clock, bearer, login, make_auth, register, who

OTHER = "pX3_vZ8-nT1yRk6QwJ5mGd0hCs9bLf2aUe7iOoW4rB"
FORKS = """
import json, os, secrets, sys
from asgi_auth.accounts.token_secrets import new_code
from asgi_auth.model.records import new_id
from asgi_auth.crypto.argon2 import _random_base64
secrets.token_bytes(1), new_id(0)
pipes = []
for _ in range(4):
    reader, writer = os.pipe()
    if os.fork() == 0:
        made = [[new_id(0), secrets.token_urlsafe(32), _random_base64(16)] for _ in range(2000)]
        with os.fdopen(writer, "w") as pipe:
            json.dump(made, pipe)
        os._exit(0)
    os.close(writer)
    pipes.append(reader)
found = []
for reader in pipes:
    with os.fdopen(reader) as pipe:
        found += json.load(pipe)
json.dump([len(found), *(len({item[n] for item in found}) for n in range(3))], sys.stdout)
"""


def test_processes_that_were_forked_make_nothing_alike() -> None:
    done = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == [8000] * 4


def test_ids_of_one_moment_tell_nothing_of_each_other() -> None:
    ids = [new_id(1_800_000_000.5) for _ in range(1000)]
    tails = [int(item.replace("-", "")[13:16] + item.replace("-", "")[17:], 16) for item in ids]

    assert len(set(ids)) == 1000
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", item) for item in ids
    )
    assert tails != sorted(tails)
    ones = Counter(bit for tail in tails for bit in range(60) if tail >> bit & 1)
    assert all(350 < ones[bit] < 650 for bit in range(60))


async def test_a_hash_is_argon2id_of_today_with_salt_and_tag_of_full_length() -> None:
    made = argon2.extract_parameters(hashed := await PasswordHasher(Argon2()).hash("correct horse"))

    assert (made.type, made.version) == (argon2.Type.ID, 19)
    assert (made.memory_cost, made.time_cost) == (65536, 3)
    assert (made.salt_len, made.hash_len) == (16, 32)
    assert hashed.rpartition("$")[0] != (await PasswordHasher(Argon2()).hash("correct horse")).rpartition("$")[0]


def test_hashes_are_those_of_the_specification() -> None:
    # A vector of the reference implementation; those of RFC 9106 want a key and associated data.
    made = argon2.low_level.hash_secret_raw(b"password", b"somesalt", 2, 65536, 1, 32, argon2.Type.ID)

    assert made.hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


async def test_a_new_secret_reaches_one_process_after_the_other_and_no_one_is_logged_out(
    fresh: Callable[[str], str], clock: Clock
) -> None:
    url = fresh("sqlite")

    def process(*secrets: str) -> Auth:
        return Auth(url, settings=Settings(secret=list(secrets)), now=clock)

    async def known(auth: Auth, token: object) -> bool:
        answer = await Client(AuthMiddleware(who, auth)).get("/", headers=bearer(str(token)))
        return bool(answer.json["id"])

    async with make_auth(url, clock=clock) as first:
        await register(first)
    steps = [[SECRET], [SECRET, OTHER], [OTHER, SECRET]]
    for before, after in pairwise(steps):
        async with process(*before) as old, process(*after) as new:
            for maker in (old, new):
                pair = await login(maker)
                for reader in (old, new):
                    assert await known(reader, pair.access_token)
                    assert (await reader.refresh(str(pair.refresh_token))).access_token


async def test_a_secret_that_replaces_all_others_logs_all_users_out(fresh: Callable[[str], str]) -> None:
    url = fresh("sqlite")
    async with make_auth(url) as auth:
        await register(auth)
        pair = await login(auth)

    async with Auth(url, secret=OTHER) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        assert (await client.get("/", headers=bearer(pair))).json["error"] == "invalid_token"
        assert (await client.post("/auth/refresh", {"refresh_token": pair.refresh_token})).status == 401
