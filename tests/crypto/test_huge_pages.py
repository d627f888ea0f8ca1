"""Hashes in huge pages are argon2-cffi's own, in both directions; the memory is wiped and given back."""

import mmap
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import argon2
import pytest
from argon2.exceptions import HashingError, VerificationError, VerifyMismatchError
from argon2.low_level import Type, hash_secret, hash_secret_raw

from asgi_auth import Argon2
from asgi_auth.crypto import argon2_huge_pages as huge_pages
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.crypto.argon2_huge_pages import HugePageHasher, raw_hash

COST = (1, 2048, 1)
PASSWORDS = ["", "x", "pässword", "\0", "x\0y", "x" * 1024, b"\xff\xfe"]

pytestmark = pytest.mark.skipif(not hasattr(mmap, "MADV_HUGEPAGE"), reason="huge pages are Linux's")


@pytest.fixture
def hasher() -> HugePageHasher:
    return HugePageHasher(*COST)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was hashed in huge pages."""
    seen: list[tuple[Any, ...]] = []

    def record(*given: Any) -> bytes:
        seen.append(given)
        return raw_hash(*given)

    monkeypatch.setattr(huge_pages, "raw_hash", record)
    return seen


@pytest.fixture
def _afresh() -> Iterator[None]:
    """What has been found out once is found out again, and again afterwards."""
    for found in (huge_pages.works, huge_pages._callbacks):
        found.cache_clear()
    yield
    for found in (huge_pages.works, huge_pages._callbacks):
        found.cache_clear()


@pytest.mark.parametrize("password", PASSWORDS)
def test_argon2_cffi_verifies_our_hashes_and_we_verify_its(
    hasher: HugePageHasher, password: str | bytes, hashed: list[Any]
) -> None:
    other = argon2.PasswordHasher(*COST)
    ours, theirs = hasher.hash(password), other.hash(password)

    assert other.verify(ours, password)
    assert hasher.verify(theirs, password)
    assert len(hashed) == 2
    assert ours.rpartition("$")[0] != hasher.hash(password).rpartition("$")[0]
    assert not hasher.check_needs_rehash(theirs)


def test_the_digest_is_argon2_cffis_whatever_the_cost() -> None:
    chance = random.Random(9106)
    for _ in range(60):
        lanes = chance.randint(1, 4)
        password, salt = chance.randbytes(chance.randint(0, 200)), chance.randbytes(16)
        cost = (chance.randint(1, 3), chance.randint(8 * lanes, 3000), lanes)
        assert raw_hash(password, salt, *cost) == hash_secret_raw(password, salt, *cost, 32, Type.ID)


def test_no_other_password_and_no_other_hash_fits(hasher: HugePageHasher, hashed: list[Any]) -> None:
    good = hasher.hash("password")
    for other in ("", "Password", "password ", "password\0"):
        with pytest.raises(VerifyMismatchError):
            hasher.verify(good, other)
    assert len(hashed) == 5

    head, salt, digest = good.rsplit("$", 2)
    for place in range(len(salt) - 1):
        changed = salt[:place] + ("A" if salt[place] != "A" else "B") + salt[place + 1 :]
        with pytest.raises(VerificationError):
            hasher.verify(f"{head}${changed}${digest}", "password")
    for place in range(len(digest) - 1):
        changed = digest[:place] + ("A" if digest[place] != "A" else "B") + digest[place + 1 :]
        with pytest.raises(VerificationError):
            hasher.verify(f"{head}${salt}${changed}", "password")


def test_bits_that_base64_leaves_over_are_not_ignored(hasher: HugePageHasher) -> None:
    head, salt, digest = hash_secret(b"password", b"\0" * 16, *COST, 32, Type.ID).decode().rsplit("$", 2)
    assert salt[-1] == "A"
    again = digest[:-1] + chr(ord(digest[-1]) + 1)

    for changed in (f"{head}${salt[:-1]}B${digest}", f"{head}${salt}${again}"):
        for each in (hasher, argon2.PasswordHasher(*COST)):
            with pytest.raises(VerificationError):
                each.verify(changed, "password")


@pytest.mark.parametrize(
    "other",
    [
        argon2.PasswordHasher(2, 2048, 1),
        argon2.PasswordHasher(1, 4096, 1),
        argon2.PasswordHasher(1, 2048, 2),
        argon2.PasswordHasher(*COST, 16),
        argon2.PasswordHasher(*COST, 32, 8),
        argon2.PasswordHasher(*COST, type=Type.I),
        argon2.PasswordHasher(*COST, type=Type.D),
    ],
)
def test_what_was_hashed_otherwise_is_verified_by_argon2_cffi(
    hasher: HugePageHasher, other: argon2.PasswordHasher, hashed: list[Any]
) -> None:
    theirs = other.hash("password")

    assert hasher.verify(theirs, "password")
    with pytest.raises(VerifyMismatchError):
        hasher.verify(theirs, "another")
    assert not hashed


def test_bytes_and_a_salt_of_the_callers_go_argon2_cffis_way(hasher: HugePageHasher, hashed: list[Any]) -> None:
    own = hasher.hash("password", salt=b"s" * 16)

    assert own == argon2.PasswordHasher(*COST).hash("password", salt=b"s" * 16)
    assert hasher.verify(own.encode(), "password")
    assert not hashed


def test_the_memory_is_used_wiped_and_given_back(hasher: HugePageHasher, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[mmap.mmap] = []
    left: list[bytes] = []

    class Watched(mmap.mmap):
        def __enter__(self) -> Self:
            seen.append(self)
            self[:] = b"\xaa" * len(self)
            return self

        def __exit__(self, *_: object) -> None:
            left.append(self[:])
            self.close()

    good = hasher.hash("password")
    monkeypatch.setattr(mmap, "mmap", Watched)

    assert hasher.verify(good, "password")
    with pytest.raises(VerifyMismatchError):
        hasher.verify(good, "another")
    assert left == [bytes(2048 * 1024)] * 2
    assert all(memory.closed for memory in seen)


def test_many_at_once_have_memory_of_their_own(hasher: HugePageHasher) -> None:
    hashes = {str(number): hasher.hash(str(number)) for number in range(8)}

    def fits(number: int) -> bool:
        try:
            return hasher.verify(hashes[str(number % 8)], str(number * 7 % 8))
        except VerifyMismatchError:
            return False

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(fits, range(200)))

    assert found == [number % 8 == number * 7 % 8 for number in range(200)]


def test_argon2_never_takes_more_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = huge_pages._memory
    monkeypatch.setattr(huge_pages, "_memory", lambda size: memory(size // 2))

    with pytest.raises(HashingError):
        raw_hash(b"x", b"s" * 16, *COST)


@pytest.mark.parametrize("error", [OSError("no memory"), HashingError("no memory")])
def test_where_memory_is_short_argon2_cffi_tries(
    hasher: HugePageHasher, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> bytes:
        raise error

    monkeypatch.setattr(huge_pages, "raw_hash", fail)

    good = hasher.hash("password")
    assert hasher.verify(good, "password")
    with pytest.raises(VerifyMismatchError):
        hasher.verify(good, "another")


async def test_an_error_that_nobody_expects_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(Argon2(time_cost=1, memory_cost=2048, testing=True))
    good = await hasher.hash("password")

    def fail(*_: Any) -> bytes:
        raise RuntimeError

    monkeypatch.setattr(huge_pages, "raw_hash", fail)
    with pytest.raises(RuntimeError):
        await hasher.verify(good, "password")


@pytest.mark.usefixtures("_afresh")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ffi", None),
        ("core", lambda *_: -22),
        ("core", lambda *_: 0),
        ("_allocate", lambda *_: 0),
        ("mmap", None),
    ],
)
def test_where_anything_is_not_as_expected_argon2_cffi_goes_its_own_way(
    monkeypatch: pytest.MonkeyPatch, hashed: list[Any], name: str, value: Any
) -> None:
    monkeypatch.setattr(huge_pages, name, value)
    hasher = HugePageHasher(*COST)
    hashed.clear()

    good = hasher.hash("password")
    assert hasher.verify(good, "password")
    with pytest.raises(VerifyMismatchError):
        hasher.verify(good, "another")
    assert not hashed


def test_small_hashes_go_argon2_cffis_way(hashed: list[Any]) -> None:
    hasher = HugePageHasher(1, 8, 1)

    assert hasher.verify(hasher.hash("password"), "password")
    assert not hashed


@pytest.mark.parametrize(
    "broken", ["", "$", "plain", "$argon2id$v=19$m=2048,t=1,p=1$", "$argon2id$v=19$m=2048,t=1,p=1$$"]
)
async def test_what_is_no_hash_fits_nothing(broken: str) -> None:
    hasher = PasswordHasher(Argon2(time_cost=1, memory_cost=2048, testing=True))
    good = await hasher.hash("password")

    for each in (broken, good[:-1], good + "A", good + "=", good + "\n", " " + good, good.replace("19", "18")):
        assert not await hasher.verify(each, "password")
