"""Signing keys in a file: who may read it, the three steps of a rotation, and processes that follow."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest

from asgi_auth import Auth, Passwords, Sessions
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.crypto.jwk import public_set
from asgi_auth.crypto.key_file import KeyFile, read_keys
from asgi_auth.crypto.key_rotation import MARGIN, MAX_AGE, TooEarlyError, create, new_key, rotate
from asgi_auth.errors import InvalidTokenError
from tests.support import login, make_auth, register

NOW, LIFE = 1_800_000_000, 930


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = str(tmp_path / "keys.json")
    create(file, "EdDSA", NOW)
    return file


def make(path: str, storage: str = "sqlite://") -> Auth:
    features = [Passwords(argon2=Argon2.cheap()), Sessions()]
    return make_auth(storage, features=features, signing_keys_file=path)


def roles(path: str) -> list[tuple[str, str]]:
    return [(item.key.kid, item.role) for item in read_keys(path)[0]]


def new_file(path: str, algorithm: str) -> None:
    Path(path).unlink(missing_ok=True)
    create(path, algorithm, NOW)


def write(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def test_a_rotation_publishes_signs_and_drops_and_no_step_is_too_early(path: str) -> None:
    ((first, _),) = roles(path)
    published, stored = rotate(path, NOW + 9, LIFE)
    second = stored[1].key.kid
    with pytest.raises(TooEarlyError, match="too early to sign: wait 1 seconds"):
        rotate(path, NOW + 9 + MAX_AGE + MARGIN - 1, LIFE)
    between = roles(path)
    turn = NOW + 9 + MAX_AGE + MARGIN
    signed, _ = rotate(path, turn, LIFE)
    after = roles(path)
    with pytest.raises(TooEarlyError, match="too early to drop"):
        rotate(path, turn + LIFE + MARGIN - 1, LIFE)
    dropped, _ = rotate(path, turn + LIFE + MARGIN, LIFE)

    assert (published, signed, dropped) == ("publish", "sign", "drop")
    assert between == [(first, "signing"), (second, "next")]
    assert after == [(second, "signing"), (first, "previous")]
    assert roles(path) == [(second, "signing")]


@pytest.mark.parametrize(("algorithm", "bits"), [("EdDSA", 256), ("ES256", 256), ("RS256", 3072)])
def test_new_keys_are_strong_and_come_back_from_the_file(tmp_path: Path, algorithm: str, bits: int) -> None:
    file = str(tmp_path / "keys.json")
    key = create(file, algorithm, NOW)

    (found,) = KeyFile(file).keys

    assert (found.kid, found.algorithm, getattr(found.public, "key_size", 256)) == (key.kid, algorithm, bits)
    assert public_set([found]) == public_set([key])


@pytest.mark.skipif(os.name != "posix", reason="rights of files are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o622, 0o777])
def test_a_file_that_others_have_rights_to_is_refused(path: str, mode: int) -> None:
    assert Path(path).stat().st_mode & 0o777 == 0o600
    Path(path).chmod(mode)

    with pytest.raises(ValueError, match=f"chmod 600 {path}"):
        make(path)
    with pytest.raises(ValueError, match="chmod 600"):
        rotate(path, NOW, LIFE)


def with_key(members: dict[str, Any]) -> Any:
    return lambda keys: [{**keys[0], **members}]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (lambda _: [], "not a JWK set"),
        (lambda keys: keys * 2, "exactly one signing key"),
        (lambda keys: [keys[0], {**keys[0], "role": "next"}], "two keys with one kid"),
        (lambda keys: [{**keys[0], "role": "previous"}], "exactly one signing key"),
        (lambda keys: [{name: value for name, value in keys[0].items() if name != "d"}], "private part"),
        (with_key({"kid": "a b"}), "no kid"),
        (with_key({"kid": None}), "no kid"),
        (with_key({"alg": "HS256", "kty": "oct", "k": "AAAA"}), "alg must be one of"),
        (with_key({"alg": "ES256"}), "not a key for ES256"),
        (with_key({"crv": "Ed448"}), "another curve"),
        (with_key({"use": "enc"}), "another use"),
        (with_key({"role": "rules"}), "no role"),
        (with_key({"d": "AAAA"}), "not a key for EdDSA"),
        ({"keys": {}}, "not a JWK set"),
    ],
)
def test_a_file_that_is_not_right_is_refused(path: str, changed: Any, reason: str) -> None:
    keys = json.loads(Path(path).read_text())["keys"]
    Path(path).write_text(json.dumps({"keys": changed(keys)} if callable(changed) else changed))

    with pytest.raises(ValueError, match=reason):
        make(path)


def test_a_missing_file_and_two_sources_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        make(str(tmp_path / "none"))
    with pytest.raises(ValueError, match="not both"):
        make_auth(signing_keys=[new_key()], signing_keys_file="x")


async def test_processes_follow_the_file_and_tokens_of_both_keys_are_valid(path: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'auth.db'}"
    async with make(path, url) as one, make(path, url) as other:
        await register(one)
        before = (await login(one)).access_token
        rotate(path, NOW, LIFE)
        rotate(path, NOW + MAX_AGE + MARGIN, LIFE)
        await asyncio.sleep(1.2)
        after = (await login(one)).access_token

        assert kid_of(before) != kid_of(after)
        assert [(await auth.authenticate(token)).id != "" for auth in (one, other) for token in (before, after)] == [
            True
        ] * 4


async def test_a_key_that_is_dropped_is_refused_also_where_its_token_was_cached(path: str) -> None:
    async with make(path) as auth:
        await register(auth)
        token = (await login(auth)).access_token
        await auth.authenticate(token)
        new_file(path, "ES256")

        assert auth.keys.reload()
        assert not auth.keys.reload()
        with pytest.raises(InvalidTokenError):
            await auth.authenticate(token)


async def test_a_token_of_a_key_that_is_new_in_the_file_is_valid_at_once(path: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'auth.db'}"
    async with make(path, url) as one, make(path, url) as other:
        await register(one)
        new_file(path, "ES256")
        one.keys.reload()

        assert (await other.authenticate((await login(one)).access_token)).id


async def test_a_file_that_breaks_changes_nothing_and_is_logged_once(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with open(path, "rb") as file:  # noqa: ASYNC230, PTH123 (nothing else runs)
        good = file.read()
    async with make(path) as auth:
        await register(auth)
        for content in (b"", good[:-9], b"[" * 9999):
            write(path, content)
            assert not auth.keys.reload()
            assert not auth.keys.reload()
        assert (await auth.authenticate((await login(auth)).access_token)).id
        os.unlink(path)  # noqa: PTH108 (nothing else runs)
        assert not auth.keys.reload()
        new_file(path, "EdDSA")
        write(path, good)

        assert auth.keys.reload()
    told = [record.message for record in caplog.records if "signing keys stay" in record.message]
    assert len(told) == 2


ROTATE = """
import sys
from asgi_auth.crypto.key_rotation import TooEarlyError, rotate
try:
    print(rotate(sys.argv[1], int(sys.argv[2]), 930)[0])
except TooEarlyError:
    print("early")
"""


def test_of_rotations_at_once_one_takes_the_step_and_readers_see_whole_files(path: str) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", ROTATE, path, str(NOW)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    while any(process.poll() is None for process in running):
        assert read_keys(path)[0]
    told = sorted(process.communicate()[0].strip() for process in running)

    assert told == ["early", "early", "early", "publish"]
    assert [role for _, role in roles(path)] == ["signing", "next"]
    assert [item.name for item in Path(path).parent.iterdir()] == ["keys.json"]
    assert Path(path).stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="the lock is POSIX's")
def test_a_rotation_waits_for_another(path: str) -> None:
    import fcntl

    descriptor = os.open(Path(path).parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    rotation = Thread(target=rotate, args=(path, NOW, LIFE))
    rotation.start()
    rotation.join(2)
    waits = rotation.is_alive(), len(roles(path))
    os.close(descriptor)
    rotation.join(30)

    assert (waits, len(roles(path))) == ((True, 1), 2)


def test_a_link_stays_a_link(path: str, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(path)

    rotate(str(link), NOW, LIFE)

    assert link.is_symlink()
    assert len(roles(path)) == 2
