"""Defences of imports: hashes of other systems, and users of other systems."""

from tests.security.defence import Defence

HASHES = "crypto/test_foreign_hashes.py::"
CONFLICTS = "importing/test_conflicts.py::"
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
    Defence(
        "an update gives roles only where it was asked to",
        "importing/updating.py",
        '{"roles": given.roles, "status": given.status} if self._updates.roles else {}',
        '{"roles": given.roles, "status": given.status}',
        CONFLICTS + "test_an_update_sets_extra_fields_and_nothing_else",
    ),
    Defence(
        "an update sets credentials only where it was asked to",
        "importing/updating.py",
        "is_new = self._updates.credentials and await self._set_all(inside)",
        "is_new = await self._set_all(inside)",
        CONFLICTS + "test_an_address_of_another_record_verifies_no_one_and_takes_no_one_over",
    ),
    Defence(
        "an update verifies an address only where it was asked to",
        "importing/updating.py",
        "        if self._updates.credentials:\n            wanted[",
        "        if True:\n            wanted[",
        CONFLICTS + "test_an_address_of_another_record_verifies_no_one_and_takes_no_one_over",
    ),
    Defence(
        "an update needs an id and an address of one user",
        "importing/importer.py",
        "if by_address is None or (each.given_id is not None and (by_id is None or by_id.id != by_address.id)):",
        "if by_address is None:",
        CONFLICTS + "test_an_update_needs_an_id_and_an_address_of_one_user",
    ),
    Defence(
        "an update takes no credential of another user",
        "importing/updating.py",
        "if found is not None and found[0].id != self._user.id:",
        "if found is None and self._user is None:",
        CONFLICTS + "test_a_credential_of_another_user_is_never_taken",
    ),
    Defence(
        "a new password of an import ends the sessions",
        "importing/updating.py",
        'if is_new or changes.get("status", "active") != "active":',
        'if changes.get("status", "active") != "active":',
        CONFLICTS + "test_with_credentials_an_update_sets_the_password_and_ends_the_sessions",
    ),
    Defence(
        "no user has an id that means none",
        "importing/prepare.py",
        "given_id == NO_USER_ID or not self._auth",
        "not self._auth",
        "importing/test_import.py::test_a_refused_line_has_its_number_and_reason_and_never_the_value",
    ),
    Defence(
        "a hash that no login should compute is not imported",
        "importing/prepare.py",
        "secret=checked_hash(self._service().hasher, credential.secret)",
        "secret=credential.secret",
        "importing/test_import.py::test_a_refused_line_has_its_number_and_reason_and_never_the_value",
    ),
    Defence(
        "no user gets a role of another system unasked",
        "importing/formats.py",
        "[context.roles[flag] for flag in self.flags if isinstance(flag, str) and flag in context.roles]",
        "[context.roles.get(flag, flag) for flag in self.flags]",
        "importing/test_formats.py::test_roles_are_given_only_where_the_caller_maps_them",
    ),
    Defence(
        "a reason for a refusal has no value of the record",
        "importing/record.py",
        'name = unknown[1] if SHOWN.fullmatch(unknown[1]) else ""',
        "name = unknown[1]",
        "importing/test_import.py::test_a_refused_line_has_its_number_and_reason_and_never_the_value",
    ),
]
