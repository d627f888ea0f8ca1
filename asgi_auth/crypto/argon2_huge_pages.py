"""Argon2id in huge pages: the same hashes a quarter sooner, as the memory of a large one costs page faults.

It is argon2-cffi's hasher; what stands here is where Argon2 takes its memory from. Nothing is kept between hashes.
Where there are no huge pages, or anything is not as expected, argon2-cffi goes its own way.
"""

import hmac
import mmap
import os
import re
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal

import argon2
from argon2.exceptions import HashingError, VerifyMismatchError
from argon2.low_level import ARGON2_VERSION, Type, core, error_to_str, ffi, hash_secret_raw

HUGE_PAGE = 2048
SALT, DIGEST = 16, 32
#: Salt and digest, as they end a hash.
OWN = re.compile(r"([A-Za-z0-9+/]{22})\$[A-Za-z0-9+/]{43}")
_room = threading.local()


class HugePageHasher(argon2.PasswordHasher):
    """argon2-cffi's hasher of Argon2id; hashes of its own cost are made and verified in huge pages."""

    def __init__(self, time_cost: int, memory_cost: int, parallelism: int) -> None:
        """Take the cost: passes, KiB, lanes."""
        super().__init__(time_cost, memory_cost, parallelism, DIGEST, SALT)
        self._head = f"$argon2id$v=19$m={memory_cost},t={time_cost},p={parallelism}$"
        self._huge = memory_cost >= HUGE_PAGE and works()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        """Hash a password."""
        own = self._encoded(password, os.urandom(SALT)) if self._huge and salt is None else None
        return own or super().hash(password, salt=salt)

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 (argon2-cffi's name)
        """Return if the password fits, and raise otherwise."""
        own = self._huge and isinstance(hash, str) and hash.startswith(self._head)
        match = OWN.fullmatch(str(hash), len(self._head)) if own else None
        again = self._encoded(password, b64decode(match[1] + "==")) if match else None
        if match is None or again is None:
            return super().verify(hash, password)
        # A hash is encoded in one way only, so that all of it may be compared, and nothing else is taken out of it.
        if not hmac.compare_digest(again, str(hash)):
            raise VerifyMismatchError
        return True

    def _encoded(self, password: str | bytes, salt: bytes) -> str | None:
        secret = password.encode() if isinstance(password, str) else password
        try:
            digest = raw_hash(secret, salt, self.time_cost, self.memory_cost, self.parallelism)
        except (OSError, HashingError):
            # Memory was short: argon2-cffi may try, and says what is wrong.
            return None
        return f"{self._head}{_base64(salt)}${_base64(digest)}"


def raw_hash(password: bytes, salt: bytes, time_cost: int, memory_cost: int, parallelism: int) -> bytes:
    """Hash in memory that Argon2 wipes, and that the system then gets back."""
    out, secret, grain = ffi.new("uint8_t[]", DIGEST), ffi.new("uint8_t[]", password), ffi.new("uint8_t[]", salt)
    allocate, free = _callbacks()
    context = {
        "out": out,
        "outlen": DIGEST,
        "pwd": secret,
        "pwdlen": len(password),
        "salt": grain,
        "saltlen": len(salt),
        "t_cost": time_cost,
        "m_cost": memory_cost,
        "lanes": parallelism,
        "threads": parallelism,
        "version": ARGON2_VERSION,
        "allocate_cbk": allocate,
        "free_cbk": free,
    }
    with _memory(memory_cost * 1024):
        code = core(ffi.new("argon2_context *", context), Type.ID.value)
    if code != 0:
        raise HashingError(error_to_str(code))
    return bytes(ffi.buffer(out))


@contextmanager
def _memory(size: int) -> Iterator[None]:
    """Map memory for the hash that this thread is about to make."""
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory.madvise(mmap.MADV_HUGEPAGE)
        with ffi.from_buffer("uint8_t[]", memory) as _room.start:
            yield


@cache
def _callbacks() -> tuple[Any, Any]:
    """Make what Argon2 calls for memory, once: code that is made at run time is best never freed."""
    return ffi.callback("allocate_fptr", _allocate), ffi.callback("deallocate_fptr", _leave)


def _allocate(start: Any, size: int) -> int:
    """Point to the memory of this thread; where the pointer stays null, Argon2 gives up."""
    if size <= len(_room.start):
        start[0] = _room.start
    return 0


def _leave(_start: Any, _size: int) -> None:
    """Leave it to `_memory`, which has given it."""


@cache
def works() -> bool:
    """Tell whether there are huge pages, and a hash in memory of ours is what argon2-cffi says it is."""
    try:
        return raw_hash(b"x", b"s" * SALT, 1, 8, 1) == hash_secret_raw(b"x", b"s" * SALT, 1, 8, 1, DIGEST, Type.ID)
    except Exception:  # noqa: BLE001 (whatever is missing: there is another way)
        return False


def _base64(value: bytes) -> str:
    return b64encode(value).rstrip(b"=").decode()
