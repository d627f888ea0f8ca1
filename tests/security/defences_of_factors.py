"""Defences of second factors and of what the vault holds."""

from tests.security.defence import Defence

PENDING = "accounts/test_pending_logins.py::"
REMOVED = "storage/test_contract_removed_factors.py::"
LOWERED = "sessions/test_lowered_sessions.py::"
TRUSTED = "features/test_trusted_devices.py::"
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
    Defence(
        "the mail about a pause goes out once",
        "limits/factor_guesses.py",
        "if await end(wrong=True) == BACKOFF.after:",
        "await end(wrong=True)\n            at = await counters.counter(key, int(self._now()))\n"
        "            if at is not None and at.count == BACKOFF.after:",
        "limits/test_factor_guesses.py::test_concurrent_wrong_codes_tell_of_a_pause_once",
    ),
    Defence(
        "a login during the removal of its factor gets no session",
        "storage/sql_sessions.py",
        'values["factor_id"] = (factor or credential).id',
        'values["factor_id"] = credential.id',
        REMOVED + "test_a_session_needs_the_second_factor_that_was_proven",
    ),
    Defence(
        "a renewal during the removal of its factor brings no mfa back",
        "storage/sql_sessions.py",
        'values["factor_id"] = factor.id if factor is not None else None',
        'values["factor_id"] = None',
        REMOVED + "test_no_renewal_brings_a_method_of_a_removed_factor_back",
    ),
    Defence(
        "sessions that lost methods are told to other processes",
        "storage/sql_sessions.py",
        'lowered=[row["id"] for found in without for row in found],',
        "lowered=[],",
        REMOVED + "test_the_sessions_that_lost_methods_are_told_to_other_processes",
    ),
    Defence(
        "the last statement of a login by an app wants the app",
        "features/totp/feature.py",
        'return await self.auth.pending.finish(found, ("otp",), client, used)',
        'return await self.auth.pending.finish(found, ("otp",), client)',
        LOWERED + "test_a_removal_after_the_code_and_before_the_session_leaves_no_mfa",
    ),
    Defence(
        "the last statement of a login by a recovery code wants the codes",
        "features/recovery_codes/feature.py",
        'return await self.auth.pending.finish(found, ("recovery",), client, used)',
        'return await self.auth.pending.finish(found, ("recovery",), client)',
        LOWERED + "test_a_removal_after_the_code_and_before_the_session_leaves_no_mfa",
    ),
    Defence(
        "access tokens lose mfa with their session",
        "sessions/verifier.py",
        "if claims.sid not in self._revocation.lowered:",
        "if True:",
        LOWERED + "test_access_tokens_lose_mfa_in_every_process",
    ),
    Defence(
        "no cached token keeps mfa",
        "sessions/verifier.py",
        "revocation.on_lowered.append(self._drop)",
        "revocation.on_lowered.append(set)",
        LOWERED + "test_access_tokens_lose_mfa_in_every_process",
    ),
    Defence(
        "websockets of a session that lost mfa are closed",
        "sessions/revocation.py",
        "listener(session_ids)\n        for session_id in session_ids:\n            self._close(session_id)",
        "listener(session_ids)",
        LOWERED + "test_websockets_of_a_lowered_session_are_closed",
    ),
    Defence(
        "the trust of a device is stored before the session of its login",
        "features/trusted_devices/feature.py",
        'elif token is not None and ending == "done":',
        'elif token is not None and ending == "done":\n            await self.auth.storage.add_token(token)',
        TRUSTED + "test_no_trust_is_left_by_a_login_during_such_a_change",
    ),
    Defence(
        "a ban voids the tokens under the lock of the user",
        "accounts/user_editing.py",
        "                await storage.void_tokens(user_id, now)\n                ended +=",
        "                ended +=",
        TRUSTED + "test_no_trust_is_left_by_a_login_during_such_a_change",
    ),
    Defence(
        "a waived login is judged again after its session was added",
        "sessions/service.py",
        "if waived and not await self._gate.is_waived(attempt):",
        "if False:",
        TRUSTED + "test_a_trusted_login_during_the_end_of_the_trust_gets_no_session",
    ),
    Defence(
        "a newcomer who needs a second factor gets the request of the mail",
        "features/passwords/feature.py",
        "if verification is None:\n                    raise",
        "raise",
        "features/test_newcomers_with_a_factor.py::test_the_registration_names_the_request_of_the_mail",
    ),
]
