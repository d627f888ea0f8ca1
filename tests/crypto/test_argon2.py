"""Hashing: Argon2id at the cost that was asked for, off the loop, and never more at once than the queue holds."""

import asyncio
import os
import sys
import threading

import argon2
import pytest

from asgi_auth import Argon2, Passwords
from asgi_auth.crypto import argon2 as argon2_pool
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.errors import BusyError
from asgi_auth.events.outages import cause_of

CHEAP = Argon2.cheap()


class GatedHasher(PasswordHasher):
    """Hashes nothing before the gate opens."""

    def __init__(self, workers: int, queue: int) -> None:
        super().__init__(CHEAP, workers, queue)
        self.gate = threading.Event()
        self.ran = 0

    def _matches(self, hashed: str, password: str) -> bool:
        self.gate.wait(30)
        self.ran += 1
        return super()._matches(hashed, password)


async def settle() -> None:
    """Let tasks that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_cost_stands_in_the_hash() -> None:
    default = await PasswordHasher(Argon2()).hash("x")
    lowest = await PasswordHasher(Argon2(memory_cost=19456, time_cost=2)).hash("x")

    assert default.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert lowest.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_a_password_fits_its_own_hash_exactly() -> None:
    hasher = PasswordHasher(CHEAP)
    hashed = await hasher.hash("pässword")

    assert await hasher.verify(hashed, "pässword")
    for other in ("password", "Pässword", "pässword ", "pa\u0308sswörd", ""):
        assert not await hasher.verify(hashed, other)
    assert hashed != await hasher.hash("pässword")


async def test_passwords_of_a_thousand_bytes_are_compared_to_the_last() -> None:
    hasher = PasswordHasher(CHEAP)
    hashed = await hasher.hash("x" * 1024)

    assert await hasher.verify(hashed, "x" * 1024)
    assert not await hasher.verify(hashed, "x" * 1023 + "y")


@pytest.mark.parametrize("cost", [{"memory_cost": 19455}, {"time_cost": 1}, {"memory_cost": 8, "time_cost": 1}])
def test_less_than_the_floor_is_refused_unless_it_is_for_tests(cost: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="testing=True"):
        Argon2(**cost)  # type: ignore[arg-type]  # only ints here

    assert Argon2(**cost, testing=True)


@pytest.mark.parametrize("cost", [{"time_cost": 0}, {"parallelism": 0}, {"memory_cost": 15, "parallelism": 2}])
def test_what_argon2_cannot_do_is_refused(cost: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1 pass, 1 lane and 8 KiB"):
        Argon2(**cost, testing=True)


@pytest.mark.parametrize("hashed", ["", "plain", "$argon2id$", "$2b$12$" + "x" * 53, "$argon2id$v=19$m=8,t=1,p=1$$"])
async def test_what_is_no_hash_fits_nothing(hashed: str) -> None:
    assert not await PasswordHasher(CHEAP).verify(hashed, "x")


@pytest.mark.parametrize("password", ["", "x", "pässword", "\0", "x\0y", "x" * 1024])
async def test_only_the_unchanged_hash_matches(password: str) -> None:
    hasher = PasswordHasher(CHEAP)
    good = await hasher.hash(password)
    head, salt, digest = good.rsplit("$", 2)
    changed = [f"{head}${flip(salt, place)}${digest}" for place in (0, 10, 20)]
    changed += [f"{head}${salt}${flip(digest, place)}" for place in (0, 20, 41)]
    spelled = [good[:-1], good + "A", good + "=", good + "\n", " " + good, good.replace("v=19", "v=16")]

    assert await hasher.verify(good, password)
    for other in (*changed, *spelled):
        assert not await hasher.verify(other, password)


def flip(text: str, place: int) -> str:
    """Change one character of a base64 text."""
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


async def test_unused_bits_of_base64_are_not_ignored() -> None:
    hasher = PasswordHasher(CHEAP)
    hashed = hasher._argon2.hash("x", salt=b"\0" * 16)
    head, salt, digest = hashed.rsplit("$", 2)

    assert salt[-1] == "A"
    assert await hasher.verify(hashed, "x")
    assert not await hasher.verify(f"{head}${salt[:-1]}B${digest}", "x")
    assert not await hasher.verify(f"{head}${salt}${digest[:-1]}{chr(ord(digest[-1]) + 1)}", "x")


async def test_an_unexpected_error_is_not_a_match(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(CHEAP)
    hashed = await hasher.hash("x")

    def fail(*_: object) -> bool:
        raise RuntimeError

    monkeypatch.setattr(argon2.PasswordHasher, "verify", fail)
    with pytest.raises(RuntimeError):
        await hasher.verify(hashed, "x")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a nice value for a thread")
@pytest.mark.parametrize("niceness", [10, 19])
async def test_the_threads_have_the_niceness_that_was_set(niceness: int) -> None:
    hasher = PasswordHasher(CHEAP, workers=1, niceness=niceness)
    process = os.getpriority(os.PRIO_PROCESS, 0)

    assert await hasher._run(thread_niceness) == niceness
    assert os.getpriority(os.PRIO_PROCESS, 0) == process


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a nice value for a thread")
async def test_niceness_zero_leaves_the_priority_alone() -> None:
    process = os.getpriority(os.PRIO_PROCESS, 0)

    assert await PasswordHasher(CHEAP, workers=1, niceness=0)._run(thread_niceness) == process


async def test_a_priority_that_cannot_be_set_stops_no_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuse)
    hasher = PasswordHasher(CHEAP)

    assert await hasher.verify(await hasher.hash("x"), "x")


def thread_niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.parametrize("niceness", [-1, 20])
def test_a_niceness_out_of_bounds_is_refused(niceness: int) -> None:
    with pytest.raises(ValueError, match="niceness is 0 to 19"):
        Passwords(niceness=niceness)


async def test_the_decoy_has_todays_cost_and_never_verifies() -> None:
    hasher = PasswordHasher(Argon2(memory_cost=32, time_cost=2, testing=True))
    seen: list[str] = []
    real_matches = hasher._matches
    hasher._matches = lambda hashed, password: seen.append(hashed) or real_matches(hashed, password)  # type: ignore[method-assign, func-returns-value]

    for password in ("", "x", "password"):
        assert not await hasher.verify(None, password)

    assert all(hashed.startswith("$argon2id$v=19$m=32,t=2,p=1$") for hashed in seen)
    assert len(seen) == 3
    assert len(seen[0]) == len(await hasher.hash("x"))
    assert not hasher.is_outdated(seen[0])


async def test_a_hash_of_another_cost_is_outdated() -> None:
    old = await PasswordHasher(CHEAP).hash("x")

    assert not PasswordHasher(CHEAP).is_outdated(old)
    assert PasswordHasher(Argon2(memory_cost=16, time_cost=1, testing=True)).is_outdated(old)


async def test_a_full_queue_is_refused_at_once() -> None:
    hasher = GatedHasher(workers=1, queue=2)
    waiting = [asyncio.ensure_future(hasher.verify(None, "x")) for _ in range(3)]
    await settle()

    with pytest.raises(BusyError) as refused:
        await hasher.verify(None, "x")
    assert "the queue of password hashes is full: give the process more cores" in cause_of(refused.value)
    with pytest.raises(BusyError):
        await hasher.hash("x")

    hasher.gate.set()
    assert await asyncio.gather(*waiting) == [False] * 3
    assert not await hasher.verify(None, "x")


async def test_a_thread_that_cannot_start_takes_no_place_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(CHEAP, workers=1, queue=2)

    def fails(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fails)
        for _ in range(4):
            with pytest.raises(BusyError):
                await hasher.hash("x")

    assert await hasher.verify(await hasher.hash("x"), "x")


async def test_the_queue_holds_sixteen_for_each_worker_by_default() -> None:
    assert PasswordHasher(CHEAP, workers=2)._limit == 34


async def test_who_gives_up_waiting_frees_the_place_and_costs_no_hash() -> None:
    hasher = GatedHasher(workers=1, queue=1)
    first = asyncio.ensure_future(hasher.verify(None, "x"))
    second = asyncio.ensure_future(hasher.verify(None, "x"))
    await settle()

    second.cancel()
    await settle()
    third = asyncio.ensure_future(hasher.verify(None, "x"))
    await settle()
    hasher.gate.set()

    assert not any(await asyncio.gather(first, third))
    assert second.cancelled()
    assert hasher.ran == 2


async def test_no_call_waits_for_its_hash_without_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(argon2_pool, "LONGEST_WAIT", 0.05)
    hasher = GatedHasher(workers=1, queue=2)

    waiting = [hasher.verify(None, "x") for _ in range(3)]
    try:
        async with asyncio.timeout(10):
            results = await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        hasher.gate.set()

    assert [type(result) for result in results] == [BusyError] * 3
    assert all(
        "by the deadline: give the process more cores" in cause_of(late)
        for late in results
        if isinstance(late, BusyError)
    )
    monkeypatch.undo()
    assert not await hasher.verify(None, "x")


async def test_a_running_hash_keeps_its_place_until_it_is_done() -> None:
    hasher = GatedHasher(workers=1, queue=0)
    first = asyncio.ensure_future(hasher.verify(None, "x"))
    await settle()

    first.cancel()
    await settle()

    with pytest.raises(BusyError):
        await hasher.verify(None, "x")
    hasher.gate.set()


async def test_the_loop_stays_free_while_passwords_are_hashed() -> None:
    hasher = GatedHasher(workers=2, queue=4)
    hashing = [asyncio.ensure_future(hasher.verify(None, "x")) for _ in range(6)]

    ticks = 0
    for _ in range(1000):
        await asyncio.sleep(0)
        ticks += 1

    assert ticks == 1000
    assert not any(task.done() for task in hashing)
    hasher.gate.set()
    await asyncio.gather(*hashing)
