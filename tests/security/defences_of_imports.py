"""Defences of imports: hashes of other systems, and users of other systems."""

from tests.security.defence import Defence

HASHES = "crypto/test_foreign_hashes.py::"
BOUNDED = HASHES + "test_a_hash_that_would_stop_the_server_is_refused_at_sight"
IMPORTS = [
    Defence(
        "the rounds of a foreign hash are bounded",
        "crypto/foreign_hashes.py",
        "if count * -(-size // DIGESTS[digest]) > ROUNDS:",
        "if count > 2**64:",
        BOUNDED,
    ),
    Defence(
        "the blocks of a foreign hash are bounded",
        "crypto/foreign_hashes.py",
        "if count * -(-size // DIGESTS[digest]) > ROUNDS:",
        "if count > ROUNDS:",
        BOUNDED,
    ),
    Defence(
        "the memory of a foreign hash is bounded",
        "crypto/foreign_hashes.py",
        "if 128 * self.n * self.r > MEMORY or 128 * self.n * self.r * self.p > SCRYPT_WORK:",
        "if self.n > 2**64:",
        BOUNDED,
    ),
    Defence(
        "the cost of bcrypt is bounded",
        "crypto/foreign_hashes.py",
        "if int(cost) > COST:",
        "if int(cost) > 99:",
        BOUNDED,
    ),
    Defence(
        "the cost of a foreign Argon2 hash is bounded",
        "crypto/foreign_hashes.py",
        "if found.memory_cost * 1024 > MEMORY or found.time_cost > PASSES or found.parallelism > LANES:",
        "if found.parallelism < 0:",
        BOUNDED,
    ),
    Defence(
        "a short digest of a foreign hash matches nothing",
        "crypto/foreign_hashes.py",
        "if size < MIN_DIGEST or count < 1:",
        "if count < 1:",
        HASHES + "test_what_is_wrong_with_a_hash_is_named",
    ),
    Defence(
        "a password with NUL is not cut by bcrypt",
        "crypto/foreign_hashes.py",
        'if b"\\0" in given:',
        'if given == b"":',
        HASHES + "test_bcrypt_sees_72_bytes_and_no_nul",
    ),
    Defence(
        "a wrong password for a foreign hash does the rest of today's work",
        "crypto/equal_work.py",
        "self._do(self._most - int((time.monotonic() - started) * self._pace), password)",
        "pass",
        HASHES + "test_a_mismatch_of_a_foreign_hash_does_the_rest_of_todays_work",
    ),
    Defence(
        "foreign hashes are verified only where it was asked for",
        "crypto/equal_work.py",
        "if self._foreign and not hashed.startswith(self._prefix):",
        "if not hashed.startswith(self._prefix):",
        HASHES + "test_without_the_option_a_foreign_hash_matches_nothing",
    ),
]
