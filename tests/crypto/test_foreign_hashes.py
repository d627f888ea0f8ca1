"""Hashes of other systems: each of the samples is verified, none costs more than the bounds, and no text breaks it."""

import contextlib
import hashlib
import json
from base64 import b64encode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import argon2
import bcrypt
import pytest

from asgi_auth import Argon2
from asgi_auth.crypto import equal_work, foreign_hashes
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.crypto.foreign_hashes import UnusableHashError, parse
from asgi_auth.errors import BusyError

FILE = json.loads((Path(__file__).parent / "samples" / "hashes.json").read_text("utf-8"))
PASSWORD: str = FILE["password"]
SAMPLES: dict[str, str] = {sample["system"]: sample["hash"] for sample in FILE["samples"]}
OTHERS = {name: text for name, text in SAMPLES.items() if "argon2" not in text}
KEY = b64encode(bytes(32)).decode()
PLAIN_BCRYPT = "./A" * 17 + ".."


def hasher() -> PasswordHasher:
    return PasswordHasher(Argon2.cheap(), foreign=True)


def rest_of(made: bytes) -> str:
    """Salt and digest of a hash of bcrypt."""
    return made.decode().rpartition("$")[2]


@pytest.mark.parametrize("system", SAMPLES)
async def test_a_hash_of_the_system_itself_is_verified_and_renewed(system: str) -> None:
    subject = hasher()

    assert await subject.verify(SAMPLES[system], PASSWORD)
    assert not await subject.verify(SAMPLES[system], PASSWORD + "x")
    assert subject.is_outdated(SAMPLES[system])


def test_the_samples_are_of_all_systems() -> None:
    assert len(SAMPLES) >= 30
    systems = (
        "bcrypt",
        "PHP",
        "bcryptjs",
        "firebase",
        "better-auth",
        "Django",
        "werkzeug",
        "pwdlib",
        "passlib",
        "libpass",
    )
    assert all(any(name.startswith(system) for name in SAMPLES) for system in systems)


@pytest.mark.parametrize("system", OTHERS)
async def test_without_the_option_a_foreign_hash_matches_nothing(system: str) -> None:
    assert not await PasswordHasher(Argon2.cheap()).verify(OTHERS[system], PASSWORD)


EXPENSIVE = [
    f"$2b$16${PLAIN_BCRYPT}",
    f"$2y$31${PLAIN_BCRYPT}",
    f"bcrypt_sha256$$2b$16${PLAIN_BCRYPT}",
    f"$bcrypt-sha256$v=2,t=2b,r=16${PLAIN_BCRYPT[:22]}${PLAIN_BCRYPT[22:]}",
    f"pbkdf2_sha256$2000001$salt${KEY}",
    f"pbkdf2_sha1$1000001$salt${KEY}",
    f"$pbkdf2-sha256$1000001$c2FsdA${b64encode(bytes(64)).decode()}",
    f"pbkdf2:sha512:{'9' * 900}$salt${'00' * 32}",
    f"pbkdf2:sha1:100001$salt${'00' * 400}",
    f"scrypt:262144:8:1$salt${'00' * 32}",
    f"scrypt:131072:8:5$salt${'00' * 32}",
    f"scrypt$1073741824$salt$8$1${KEY}",
    f"scrypt$16384$salt$8$1000${KEY}",
    f"$scrypt$ln=99,r=8,p=1$c2FsdA${KEY}",
    f"$fbscrypt$v=1,n=30,r=8,p=1,ss=Bw==,sk={KEY}$c2FsdA==${KEY}",
    f"$argon2id$v=19$m=131073,t=1,p=1$c2FsdHNhbHQ${'A' * 43}",
    f"$argon2id$v=19$m=1024,t=21,p=1$c2FsdHNhbHQ${'A' * 43}",
    f"argon2$argon2id$v=19$m=65536,t=1,p=17$c2FsdHNhbHQ${'A' * 43}",
]
WITHIN = [
    f"$2b$15${PLAIN_BCRYPT}",
    f"pbkdf2_sha256$2000000$salt${KEY}",
    f"$pbkdf2-sha512$2000000$c2FsdA${b64encode(bytes(64)).decode()}",
    f"scrypt:131072:8:1$salt${'00' * 64}",
    f"scrypt$16384$salt$8$5${KEY}",
    f"$argon2id$v=19$m=131072,t=20,p=16$c2FsdHNhbHQ${'A' * 43}",
]


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever computes a hash of another algorithm fails."""

    def fail(*_: object, **__: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", fail)
    monkeypatch.setattr(hashlib, "scrypt", fail)
    monkeypatch.setattr(bcrypt, "hashpw", fail)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("text", EXPENSIVE)
async def test_a_hash_that_would_stop_the_server_is_refused_at_sight(text: str) -> None:
    with pytest.raises(UnusableHashError) as caught:
        parse(text)

    assert caught.value.flaw == "expensive"
    assert not await hasher().verify(text, PASSWORD)


@pytest.mark.parametrize("text", WITHIN)
def test_a_hash_at_the_bound_is_taken(text: str) -> None:
    parse(text)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", "unknown"),
        ("plain", "unknown"),
        ("$2x$06$" + PLAIN_BCRYPT, "unknown"),
        ("$2b$06$" + PLAIN_BCRYPT[:-1], "unknown"),
        ("$6$salt$digest", "unknown"),
        ("$2b$06$" + PLAIN_BCRYPT + "\n", "unknown"),
        ("x" * 100_000, "unknown"),
        ("$argon2id$v=19$m=8,t=1,p=1$$" + "A" * 1000, "unknown"),
        ("pbkdf2:md5:10$salt$" + "00" * 16, "unknown"),
        ("pbkdf2:sha1:10$salt$" + "0" * 39, "damaged"),
        ("pbkdf2_sha256$10$salt$a", "damaged"),
        ("pbkdf2_sha256$10$salt$é", "damaged"),
        ("pbkdf2_sha256$10$salt$" + b64encode(bytes(15)).decode(), "damaged"),
        ("pbkdf2_sha256$0$salt$" + KEY, "damaged"),
        ("pbkdf2_sha256$10$\ud800$" + KEY, "damaged"),
        ("scrypt:1000:8:1$salt$" + "00" * 32, "damaged"),
        ("scrypt:0:8:1$salt$" + "00" * 32, "damaged"),
        ("scrypt:1024:0:1$salt$" + "00" * 32, "damaged"),
        ("$scrypt$ln=0,r=8,p=1$c2FsdA$" + KEY, "damaged"),
        ("$argon2id$v=19$", "damaged"),
        ("argon2$argon2id", "damaged"),
        ("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=" + KEY + "$c2FsdA==$" + KEY[:20], "damaged"),
        ("$fbscrypt$v=1,n=14,r=8,p=1$c2FsdA==$" + KEY, "unknown"),
    ],
)
def test_what_is_wrong_with_a_hash_is_named(text: str, flaw: str) -> None:
    with pytest.raises(UnusableHashError) as caught:
        parse(text)

    assert caught.value.flaw == flaw


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("system", SAMPLES)
def test_no_damage_to_a_hash_is_more_than_a_refusal(system: str) -> None:
    text = SAMPLES[system]
    damaged = [text[:at] + other + text[at + 1 :] for at in range(len(text)) for other in ("", "$", "9", "=", "é", ",")]

    for each in damaged:
        with contextlib.suppress(UnusableHashError):
            parse(each)


@pytest.mark.parametrize("system", OTHERS)
async def test_a_hash_with_another_digest_matches_nothing(system: str) -> None:
    text = OTHERS[system].rstrip("=")
    # The last character may have unused bits.
    other = text[:-2] + ("0" if text[-2] != "0" else "1") + text[-1] + "=" * (len(OTHERS[system]) - len(text))

    assert not await hasher().verify(other, PASSWORD)


async def test_bcrypt_sees_72_bytes_and_no_nul() -> None:
    made = "$2b$04$" + rest_of(bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)))
    empty = "$2b$04$" + rest_of(bcrypt.hashpw(b"", bcrypt.gensalt(4)))

    assert await hasher().verify(made, "x" * 72)
    assert await hasher().verify(made, "x" * 72 + "y" * 4000)
    assert not await hasher().verify(made, "x" * 71)
    assert not await hasher().verify(empty, "\0")


async def test_a_salt_that_bcrypt_refuses_matches_nothing() -> None:
    rest = rest_of(bcrypt.hashpw(b"x", bcrypt.gensalt(4)))

    for last in "9Z/":
        assert not await hasher().verify(f"$2b$04${rest[:21]}{last}{'.' * 31}", "x")


async def test_better_auth_hashes_a_password_in_nfkc() -> None:
    salt = "0123456789abcdef" * 2
    key = hashlib.scrypt(b"fi1", salt=salt.encode(), n=16384, r=16, p=1, dklen=64, maxmem=2**26)

    assert await hasher().verify(f"{salt}:{key.hex()}", "ﬁ①")
    assert not await hasher().verify(f"{salt}:{key.hex()}", "a" + "\u0301" * 4000)


async def test_a_password_that_could_not_be_verified_is_not_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr(hashlib, "scrypt", fail)

    with pytest.raises(BusyError):
        await hasher().verify(next(text for name, text in SAMPLES.items() if name.endswith("scrypt")), PASSWORD)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The work of Argon2 beside the hashes themselves, in KiB times passes."""
    works: list[int] = []

    def compute(*arguments: Any) -> bytes:
        works.append(arguments[2] * arguments[3])
        return b""

    monkeypatch.setattr(equal_work, "hash_secret_raw", compute)
    return works


def test_a_mismatch_of_a_foreign_hash_does_the_rest_of_todays_work(
    done: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    today = Argon2(memory_cost=64, time_cost=3, testing=True)
    subject = PasswordHasher(today, foreign=True)
    clock = iter([0.0, 0.4, 1.0, 1.1])
    monkeypatch.setattr(argon2.PasswordHasher, "verify", lambda *_: mismatch())
    monkeypatch.setattr(foreign_hashes, "parse", lambda _: lambda password: password == PASSWORD)
    monkeypatch.setattr(equal_work, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    # Not through the pool, which asks the clock as well.
    assert not subject._work.matches(subject._decoy, "y")
    assert not subject._work.matches("foreign", "y")

    # Today's 192 take 0.4 seconds, and the foreign hash took 0.1 of them.
    assert sum(done) == pytest.approx(144, abs=2)


def mismatch() -> bool:
    raise argon2.exceptions.VerifyMismatchError


async def test_before_the_pace_is_known_a_mismatch_does_all_of_todays_work(done: list[int]) -> None:
    subject = PasswordHasher(Argon2(memory_cost=64, time_cost=3, testing=True), foreign=True)
    text = next(text for name, text in SAMPLES.items() if name.startswith("bcrypt "))

    assert not await subject.verify(text, "y")
    assert sum(done) == 192
    assert await subject.verify(text, PASSWORD)
    assert sum(done) == 192
