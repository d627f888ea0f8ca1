"""Defences of second factors and of what the vault holds."""

from tests.security.defence import Defence

PENDING = "accounts/test_pending_logins.py::"
FACTORS = [
    Defence(
        "only two factors are two factors",
        "sessions/second_factors.py",
        "if MFA in login.amr:",
        "if len(login.amr) > 1 or login.amr == ('otp',):",
        "feature/test_feature.py::test_a_login_with_the_wanted_factor_gets_its_session",
    ),
    Defence(
        "the attempts of a pending login are counted",
        "accounts/pending_logins.py",
        "if not await self._storage.count_password(token.id, now=now, tries=TRIES):",
        "if not await self._storage.count_password(token.id, now=now, tries=10**6):",
        PENDING + "test_concurrent_attempts_do_not_get_around_the_count",
    ),
    Defence(
        "a pending login is used once",
        "accounts/pending_logins.py",
        "if user is None or not await self._storage.use_token(pending.token_id, int(self._now())):",
        "if user is None:",
        PENDING + "test_of_many_that_finish_a_pending_login_one_does",
    ),
    Defence(
        "a new password ends a pending login",
        "accounts/pending_logins.py",
        "if (credential.id, credential.version) == (pending.credential_id, pending.version):",
        "if credential.id == pending.credential_id:",
        PENDING + "test_a_change_between_the_factors_ends_the_pending_login",
    ),
    Defence(
        "a setup finishes no login of a user with a factor",
        "accounts/pending_logins.py",
        'if token is None or token.data["setup"] is not setup:',
        "if token is None:",
        PENDING + "test_who_has_to_set_up_a_factor_gets_a_pending_login_for_that_alone",
    ),
    Defence(
        "a backup is no factor of its own",
        "sessions/second_factors.py",
        "if all(factor.is_backup for factor in found)",
        "if not found",
        PENDING + "test_a_backup_is_a_factor_beside_another_one_only",
    ),
    Defence(
        "a removed factor takes mfa from the sessions",
        "accounts/factors.py",
        "await storage.lower_sessions(user.id, (MFA,), now)",
        "await storage.lower_sessions(user.id, (), now)",
        PENDING + "test_a_removed_factor_takes_mfa_from_the_sessions",
    ),
    Defence(
        "wrong codes of a user are counted over all logins",
        "limits/factor_guesses.py",
        "await end(wrong=True)",
        "await end(wrong=False)",
        "limits/test_factor_guesses.py::test_concurrent_guesses_do_not_get_around_the_count",
    ),
    Defence(
        "a sealed text is bound to its place",
        "crypto/vault.py",
        "raw[KEY_ID + NONCE :], about.encode())",
        "raw[KEY_ID + NONCE :], b'')",
        "crypto/test_vault.py::test_what_is_sealed_opens_again",
    ),
    Defence(
        "no session comes back by a renewal",
        "storage/statements/sessions.py",
        "WHERE id = :session_id AND revoked_at IS NULL AND expires_at > :now\n        AND EXISTS",
        "WHERE id = :session_id AND expires_at > 0 * :now\n        AND EXISTS",
        "storage/test_contract_factors.py::test_only_a_live_session_of_an_active_user_is_renewed",
    ),
]
