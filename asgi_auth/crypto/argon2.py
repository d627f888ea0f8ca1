"""Password hashes: Argon2id in a bounded pool of threads, never on the event loop (RFC 9106; ASVS 11.4.2, 15.2.2)."""

import asyncio
import contextlib
import os
import secrets
import threading
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec
from argon2.exceptions import InvalidHashError, VerificationError

from asgi_auth.crypto.argon2_huge_pages import HugePageHasher
from asgi_auth.errors import BusyError

T = TypeVar("T")
FLOOR_MEMORY = 19456
# At 10 the loop waits for a tick of the scheduler now and then; at 19 a login waits for long where all cores are busy.
NICENESS = 17


class Argon2(msgspec.Struct, frozen=True, kw_only=True):
    """The cost of a hash: `memory_cost` in KiB, `time_cost` in passes.

    One lane, as more would not make a server faster: the pool uses every core already.
    The defaults are the second recommendation of RFC 9106 with one lane; the floor is OWASP's.
    """

    time_cost: int = 3
    memory_cost: int = 65536
    parallelism: int = 1
    testing: bool = False

    def __post_init__(self) -> None:
        """Refuse what is too cheap, unless it says that it is for tests."""
        if self.time_cost < 1 or self.parallelism < 1 or self.memory_cost < 8 * self.parallelism:
            raise ValueError("argon2: one pass, one lane, and 8 KiB for each lane are the least that it can do")
        enough = self.memory_cost >= FLOOR_MEMORY and self.time_cost >= 2
        if not enough and not self.testing:
            raise ValueError(
                f"argon2: {FLOOR_MEMORY} KiB and 2 passes are the least; testing=True allows less in tests"
            )

    @classmethod
    def cheap(cls) -> "Argon2":
        """The least that Argon2 can do, for tests only."""
        return cls(time_cost=1, memory_cost=8, testing=True)


class PasswordHasher:
    """Hashes and verifies passwords off the loop, `workers` at a time; when `queue` more wait, it refuses."""

    def __init__(self, cost: Argon2, workers: int | None = None, queue: int | None = None) -> None:
        """Prepare; threads start with the first password."""
        self._argon2 = HugePageHasher(cost.time_cost, cost.memory_cost, cost.parallelism)
        self._workers = workers or os.cpu_count() or 1
        self._limit = self._workers + (self._workers * 16 if queue is None else queue)
        self._pool = ThreadPoolExecutor(self._workers, "asgi-auth-argon2", initializer=_step_back)
        self._pending = 0
        self._lock = threading.Lock()
        self._prefix = f"$argon2id$v=19$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}$"
        # A hash of nothing: it takes as long to verify as a real one, and no password fits.
        self._decoy = f"{self._prefix}{_random(16)}${_random(32)}"

    async def hash(self, password: str) -> str:
        """Hash a new password; raise BusyError when too many wait."""
        return await self._run(self._argon2.hash, password)

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Tell whether the password fits; without a hash it takes as long, and the answer is no."""
        return await self._run(self._fits, hashed or self._decoy, password)

    def is_outdated(self, hashed: str) -> bool:
        """Tell whether the hash was made with other costs than today's."""
        return not hashed.startswith(self._prefix)

    def _fits(self, hashed: str, password: str) -> bool:
        try:
            return self._argon2.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., T], *args: str) -> T:
        with self._lock:
            if self._pending >= self._limit:
                raise BusyError
            self._pending += 1
        future = self._pool.submit(function, *args)
        future.add_done_callback(self._done)
        return await asyncio.wrap_future(future)

    def _done(self, _: object) -> None:
        with self._lock:
            self._pending -= 1


def _step_back() -> None:
    """Let the event loop go first: on Linux the priority belongs to the thread."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _random(size: int) -> str:
    return b64encode(secrets.token_bytes(size)).rstrip(b"=").decode()
