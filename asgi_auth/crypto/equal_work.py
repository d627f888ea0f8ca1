"""Verification of passwords in equal work: a wrong one takes as long for every hash as for an unknown account.

A hash of an earlier, lower cost is verified faster than one of today's cost, and a hash of another algorithm is refused
at once. Both would reveal that the account exists, so a mismatch gets the rest of the work (as in Django's
`harden_runtime`; ASVS 6.3.8). The work of other algorithms is known by their time only.
"""

import secrets
import time

import argon2
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import Type, error_to_str, hash_secret_raw

from asgi_auth.crypto import foreign_hashes
from asgi_auth.crypto.foreign_hashes import Check, UnusableHashError
from asgi_auth.errors import BusyError
from asgi_auth.process.log import logger

#: The texts of errors that say nothing about the hash: no memory, and no thread (argon2.h).
NO_RESOURCES = frozenset(error_to_str(code) for code in (-22, -33))
#: The least memory of Argon2 with one lane, in KiB.
LEAST_MEMORY = 8
DIGEST_BYTES = 32


class EqualWork:
    """Verifies passwords against hashes of any cost. Work is KiB of memory times passes for each lane."""

    def __init__(self, library: argon2.PasswordHasher, decoy: str, *, foreign: bool = False) -> None:
        """Take the library at today's cost, and a hash of that cost that no password matches.

        `foreign` verifies hashes of other systems too, within the bounds of `foreign_hashes`.
        """
        self._library = library
        self._decoy = decoy
        self._foreign = foreign
        #: The parameters of hashes of today's cost.
        self._prefix = decoy[: decoy.rindex("$", 0, decoy.rindex("$")) + 1]
        #: Work of Argon2 in a second, once it is known.
        self._pace = 0.0
        #: The work of the most expensive hash so far: after a reduction of the cost, all mismatches take as long.
        self._most = self._today = _work(library.memory_cost, library.time_cost, library.parallelism)

    def matches(self, hashed: str, password: str) -> bool:
        """Return whether a password matches. Raises BusyError when memory or threads are short."""
        if self._foreign and not hashed.startswith(self._prefix):
            try:
                check = foreign_hashes.parse(hashed)
            except UnusableHashError:
                hashed = ""
            else:
                if check is not None:
                    return self._matches_foreign(check, password)
                hashed = foreign_hashes.as_phc(hashed)
        return self._matches_argon2(hashed, password)

    def _matches_foreign(self, check: Check, password: str) -> bool:
        started = time.monotonic()
        try:
            fits = check(password)
        except MemoryError as error:
            raise BusyError from error
        if not fits:
            self._do(self._most - int((time.monotonic() - started) * self._pace), password)
        return fits

    def _matches_argon2(self, hashed: str, password: str) -> bool:
        done = self._work_of(hashed)
        if done is None:
            logger.warning("a password has an unknown hash format, so no login matches it")
            hashed, done = self._decoy, self._today
        self._most = max(self._most, done)
        started = time.monotonic()
        if self._fits(hashed, password):
            return True
        self._pace = done / max(time.monotonic() - started, 1e-6)
        self._do(self._most - done, password)
        return False

    def hash(self, password: str) -> str:
        """Return a hash of today's cost. Raises BusyError when memory or threads are short."""
        try:
            return self._library.hash(password)
        except (argon2.exceptions.HashingError, MemoryError) as error:
            raise BusyError from error

    def _fits(self, hashed: str, password: str) -> bool:
        try:
            return self._library.verify(hashed, password)
        except VerifyMismatchError:
            return False
        except MemoryError as error:
            raise BusyError from error
        except VerificationError as error:
            if str(error) in NO_RESOURCES:
                raise BusyError from error
            # A damaged hash was refused before any work.
            return self._fits(self._decoy, password) if hashed != self._decoy else False

    def _do(self, work: int, password: str) -> None:
        """Do some work, in no more memory than a hash of today's cost."""
        passes = max(1, -(-work // self._library.memory_cost))
        memory = work // passes
        if memory < LEAST_MEMORY:
            return
        try:
            salt = secrets.token_bytes(16)
            hash_secret_raw(password.encode(), salt, passes, memory, 1, DIGEST_BYTES, Type.ID)
        except (argon2.exceptions.HashingError, MemoryError) as error:
            raise BusyError from error

    @staticmethod
    def _work_of(hashed: str) -> int | None:
        """Return the work of a hash; None for a format that is not Argon2's."""
        try:
            found = argon2.extract_parameters(hashed)
        except (InvalidHashError, ValueError):
            return None
        return _work(found.memory_cost, found.time_cost, found.parallelism)


def _work(memory: int, passes: int, lanes: int) -> int:
    # The lanes are computed at the same time.
    return memory * passes // max(1, lanes)
