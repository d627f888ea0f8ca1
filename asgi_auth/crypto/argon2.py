"""Password hashing: Argon2id in a bounded thread pool, never on the event loop (RFC 9106; ASVS 11.4.2, 15.2.2)."""

import asyncio
import contextlib
import os
import secrets
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import argon2

from asgi_auth._typed_text import composed
from asgi_auth.bounds.deadline import left
from asgi_auth.crypto import foreign_hashes
from asgi_auth.crypto.cpus import usable_cpus
from asgi_auth.crypto.equal_work import EqualWork
from asgi_auth.crypto.foreign_hashes import UnusableHashError
from asgi_auth.errors import BusyError
from asgi_auth.process.fork import leave_behind, renew_after_fork
from asgi_auth.sources.kinds import check_kinds

T = TypeVar("T")
#: The minimum of the OWASP Password Storage Cheat Sheet, in KiB, for hashes of two passes.
MIN_MEMORY_COST = 19456
QUEUE_PER_WORKER = 16
#: Seconds until a call that waits for its hash fails, outside of requests.
LONGEST_WAIT = 10.0
#: The weight of the newest hash in the average of their seconds.
WEIGHT = 0.1
SALT_BYTES, DIGEST_BYTES = 16, 32


class NoHashError(Exception):
    """Why there is no hash, for the log: the answer does not show it."""

    FIX = "give the process more cores, or see Passwords(niceness=…, workers=…, queue=…, argon2=…)"


@dataclass(frozen=True, kw_only=True)
class Argon2:
    """The cost of a password hash.

    `time_cost` is the number of passes, `memory_cost` is in KiB, and `parallelism` is the number of lanes. The default
    is the second recommended option of RFC 9106 (64 MiB, 3 passes), but with one lane: the pool hashes on all cores
    already. Raises ValueError for a cost below the OWASP minimum (19 MiB, 2 passes), unless `testing` is set.
    """

    time_cost: int = 3
    memory_cost: int = 65536
    parallelism: int = 1
    testing: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for a cost that Argon2 cannot compute, or that is too low for production."""
        check_kinds(self)
        if self.time_cost < 1 or self.parallelism < 1 or self.memory_cost < 8 * self.parallelism:
            raise ValueError("argon2 needs at least 1 pass, 1 lane and 8 KiB of memory per lane")
        strong = self.memory_cost >= MIN_MEMORY_COST and self.time_cost >= 2
        if not strong and not self.testing:
            raise ValueError(
                f"argon2 needs at least {MIN_MEMORY_COST} KiB and 2 passes; only testing=True allows a lower cost"
            )

    @classmethod
    def cheap(cls) -> "Argon2":
        """Return the lowest possible cost, for tests only."""
        return cls(time_cost=1, memory_cost=8, testing=True)


class PasswordHasher:
    """Hashes and verifies passwords in a thread pool.

    `workers` threads hash at a time (default: one for each CPU that the process may use). Up to `queue` more calls wait
    (default: 16 per worker). Any further call raises BusyError, and so does a call whose hash cannot be ready by the
    deadline of its request. `niceness`, 0 to 19, is the nice value of these threads on Linux: at a higher value the
    event loop gets the core first. 0 keeps the priority of the process. A forked child has a pool of its own.
    `foreign` verifies hashes of other systems as well (`foreign_hashes`).
    """

    def __init__(
        self,
        cost: Argon2,
        workers: int | None = None,
        queue: int | None = None,
        niceness: int = 10,
        *,
        foreign: bool = False,
    ) -> None:
        """Create the pool. Its threads start with the first password. Raises ValueError for an invalid `niceness`."""
        if not 0 <= niceness <= 19:
            raise ValueError("niceness is 0 to 19")
        self._argon2 = argon2.PasswordHasher(
            cost.time_cost, cost.memory_cost, cost.parallelism, DIGEST_BYTES, SALT_BYTES
        )
        self._workers = workers or usable_cpus()
        self._limit = self._workers + (self._workers * QUEUE_PER_WORKER if queue is None else queue)
        self._niceness = niceness
        self._start()
        renew_after_fork(self)
        self._prefix = f"$argon2id$v=19$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}$"
        # Random bytes in place of a digest: verifying them takes the usual time, and no known password matches.
        self._decoy = f"{self._prefix}{_random_base64(SALT_BYTES)}${_random_base64(DIGEST_BYTES)}"
        self._foreign = foreign
        self._work = EqualWork(self._argon2, self._decoy, foreign=foreign)

    def _start(self) -> None:
        self._pool = ThreadPoolExecutor(
            self._workers, "asgi-auth-argon2", initializer=_lower_priority, initargs=(self._niceness,)
        )
        self._pending = 0
        self._seconds = 0.0
        self._lock = threading.Lock()

    def renew(self) -> None:
        """Make a new pool in a forked child: the threads of the old one exist in the parent only."""
        leave_behind(self._pool)
        self._start()

    async def hash(self, password: str) -> str:
        """Return the encoded hash of a new password, in NFC (RFC 8265, section 4.2).

        Raises BusyError when the queue is full, memory is short, or the deadline comes first.
        """
        return await self._run(self._work.hash, composed(password))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Return whether the password matches the hash. Raises BusyError as `hash` does.

        Without a hash, the password is verified against a decoy: the call takes the same time and returns False.
        A password that is not in NFC is tried as typed, for hashes of earlier versions, and then in NFC.
        """
        return await self._run(self._matches, hashed or self._decoy, password)

    def check(self, hashed: str) -> None:
        """Raise UnusableHashError for a hash from elsewhere that no login could verify, or not within the bounds."""
        if foreign_hashes.parse(hashed) is not None and not self._foreign:
            raise UnusableHashError("foreign")

    def is_outdated(self, hashed: str) -> bool:
        """Return whether the hash was made with a cost other than the current one."""
        return not hashed.startswith(self._prefix)

    def _matches(self, hashed: str, password: str) -> bool:
        spellings = dict.fromkeys([password, composed(password)])
        return any(self._work.matches(hashed, spelling) for spelling in spellings)

    @property
    def is_full(self) -> bool:
        """Whether the next call would raise BusyError."""
        rounds = self._pending // self._workers
        # A free worker is always tried: it shows whether hashes are as slow as they were.
        return self._pending >= self._limit or (rounds > 0 and self._seconds * (rounds + 1) > left(LONGEST_WAIT))

    def check_room(self) -> None:
        """Raise BusyError if the next call would."""
        if self.is_full:
            raise BusyError from NoHashError(f"the queue of password hashes is full: {NoHashError.FIX}")

    async def _run(self, function: Callable[..., T], *args: str) -> T:
        with self._lock:
            self.check_room()
            self._pending += 1
        try:
            future = self._pool.submit(self._timed, function, *args)
        except RuntimeError as error:
            # The system started no thread.
            self._release(None)
            raise BusyError from error
        # Not in a `finally`: when the caller is canceled, a running hash keeps its slot until it ends.
        future.add_done_callback(self._release)
        try:
            async with asyncio.timeout(left(LONGEST_WAIT)) as deadline:
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if deadline.expired():
                raise BusyError from NoHashError(f"no password hash was ready by the deadline: {NoHashError.FIX}")
            raise

    def _timed(self, function: Callable[..., T], *args: str) -> T:
        """Compute a hash, and learn how long it takes."""
        started = time.monotonic()
        result = function(*args)
        seconds = time.monotonic() - started
        self._seconds += WEIGHT * (seconds - self._seconds) if self._seconds else seconds
        return result

    def _release(self, _: object) -> None:
        with self._lock:
            self._pending -= 1


def _lower_priority(niceness: int) -> None:
    """Set the nice value of the current thread. No-op for 0, and where the system has no nice value for a thread."""
    if niceness and sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def _random_base64(size: int) -> str:
    return b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()
