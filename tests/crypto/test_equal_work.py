"""A wrong password takes today's work for every hash, and only a mismatch is a mismatch."""

import logging
from collections.abc import Callable

import argon2
import pytest
from argon2.exceptions import HashingError, VerificationError
from argon2.low_level import error_to_str, hash_secret_raw

from asgi_auth import Argon2
from asgi_auth.crypto import equal_work
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.errors import BusyError

TODAY = Argon2(memory_cost=64, time_cost=3, testing=True)
WORK = 64 * 3
FOREIGN = ("$2b$12$" + "x" * 53, "pbkdf2_sha256$1000$x$y", "plain", "$argon2id$", "x" * 5000)
DAMAGED = "$argon2id$v=19$m=64,t=3,p=1$$"


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The work of each call of Argon2, in KiB times passes for each lane."""
    works: list[int] = []
    real_verify, real_hash = argon2.PasswordHasher.verify, hash_secret_raw

    def verify(library: argon2.PasswordHasher, hashed: str, password: str) -> bool:
        found = argon2.extract_parameters(hashed)
        if hashed != DAMAGED:
            works.append(found.memory_cost * found.time_cost // found.parallelism)
        return bool(real_verify(library, hashed, password))

    def compute(*arguments: object) -> bytes:
        _, _, passes, memory, lanes, *_ = arguments
        assert (lanes, int(str(memory)) <= TODAY.memory_cost) == (1, True)
        works.append(int(str(memory)) * int(str(passes)))
        return real_hash(*arguments)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)
    monkeypatch.setattr(equal_work, "hash_secret_raw", compute)
    return works


@pytest.mark.parametrize(("memory", "passes", "lanes"), [(8, 1, 1), (64, 2, 1), (32, 3, 2), (64, 3, 1), (19, 2, 1)])
async def test_a_mismatch_of_an_older_hash_does_the_rest_of_todays_work(
    done: list[int], memory: int, passes: int, lanes: int
) -> None:
    cost = Argon2(memory_cost=memory, time_cost=passes, parallelism=lanes, testing=True)
    hashed = await PasswordHasher(cost).hash("x")

    assert not await PasswordHasher(TODAY).verify(hashed, "y")

    assert 0.9 * WORK <= sum(done) <= WORK


@pytest.mark.parametrize("hashed", [*FOREIGN, DAMAGED])
async def test_a_hash_of_another_format_does_all_of_todays_work(done: list[int], hashed: str) -> None:
    assert not await PasswordHasher(TODAY).verify(hashed, "y")

    assert sum(done) == WORK


async def test_after_a_more_expensive_hash_all_mismatches_do_its_work(done: list[int]) -> None:
    expensive = await PasswordHasher(Argon2(memory_cost=256, time_cost=4, testing=True)).hash("x")
    hasher = PasswordHasher(TODAY)
    await hasher.verify(expensive, "y")
    done.clear()

    assert not await hasher.verify(None, "y")

    assert 0.9 * 1024 <= sum(done) <= 1024


async def test_a_right_password_does_no_work_beside_its_own(done: list[int]) -> None:
    hashed = await PasswordHasher(Argon2(memory_cost=8, time_cost=1, testing=True)).hash("x")

    assert await PasswordHasher(TODAY).verify(hashed, "x")

    assert done == [8]


async def test_the_log_names_an_unknown_format_and_not_the_hash(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "asgi_auth"):
        await PasswordHasher(TODAY).verify(FOREIGN[0], "y")

    (record,) = caplog.records
    assert "unknown hash format" in record.getMessage()
    assert "$2b$" not in record.getMessage()


def no_memory(*_: object) -> bool:
    raise VerificationError(error_to_str(-22))


def no_thread(*_: object) -> bool:
    raise VerificationError(error_to_str(-33))


def out_of_memory(*_: object) -> bool:
    raise MemoryError


@pytest.mark.parametrize("fail", [no_memory, no_thread, out_of_memory])
async def test_a_password_that_could_not_be_verified_is_not_wrong(
    fail: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = PasswordHasher(TODAY)
    hashed = await hasher.hash("x")
    monkeypatch.setattr(argon2.PasswordHasher, "verify", fail)

    for stored in (hashed, None):
        with pytest.raises(BusyError):
            await hasher.verify(stored, "x")


@pytest.mark.parametrize("error", [HashingError("Memory allocation error"), MemoryError()])
async def test_a_password_that_could_not_be_hashed_is_busy(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(TODAY)

    def fail(*_: object) -> str:
        raise error

    monkeypatch.setattr(argon2.PasswordHasher, "hash", fail)
    with pytest.raises(BusyError):
        await hasher.hash("x")

    monkeypatch.setattr(equal_work, "hash_secret_raw", fail)
    with pytest.raises(BusyError):
        await hasher.verify(f"$argon2id$v=19$m=8,t=1,p=1${'A' * 22}${'A' * 43}", "y")
