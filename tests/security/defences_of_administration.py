"""Defences of accounts that others administer."""

from tests.security.defence import Defence

BANS = "accounts/test_bans.py::"
INVITATIONS = "features/test_invitations.py::"
USERS = "accounts/test_user_"
VOID = "await storage.void_tokens(user_id, now)\n            "
INVITERS = "features/test_inviters.py::"
ACCESS = "features/test_admin_access.py::"
IMPERSONATION = "features/test_impersonation_bounds.py::"
IMPERSONATED = "features/test_impersonated_sessions.py::"
ENDS = "features/test_impersonation_ends.py::"
EDITING = "features/test_admin_editing.py::"
PARKED = "features/test_parked_sessions.py::"
ADMINISTRATION = [
    Defence(
        "a new ban wins over the end of an old one",
        "sessions/bans.py",
        "ban = Ban.of(locked)",
        "ban = Ban.of(user)",
        BANS + "test_a_new_ban_wins_over_the_end_of_an_old_one",
    ),
    Defence(
        "the reason of a ban is told where the administrator says so",
        "errors/accounts.py",
        "if ban is not None and ban.tell:",
        "if ban is not None:",
        BANS + "test_the_reason_is_not_told_by_default",
    ),
    Defence(
        "users do not see what administrators note",
        "model/records.py",
        'if not name.startswith("_")}',
        "if name}",
        BANS + "test_the_user_sees_nothing_of_a_ban_that_is_over",
    ),
    Defence(
        "a ban that other hands wrote keeps the account off",
        "model/ban.py",
        "except msgspec.ValidationError:",
        "except ZeroDivisionError:",
        BANS + "test_what_other_hands_have_written_keeps_the_account_off",
    ),
    Defence(
        "the hash of a new account can be verified",
        "accounts/password_hashes.py",
        "hasher.check(hashed)",
        "len(hashed)",
        USERS + "creation.py::test_a_hash_that_no_login_can_verify_is_refused_and_not_shown",
    ),
    Defence(
        "the policy holds for passwords that administrators set",
        "accounts/user_creation.py",
        'passwords.check(password, "password", canonical)',
        "len(canonical)",
        USERS + "creation.py::test_what_cannot_be_stored_is_a_clear_error",
    ),
    Defence(
        "a new address ends the sessions",
        "accounts/user_editing.py",
        "ended = await storage.end_sessions(user_id, now)\n            changes",
        "ended: list[str] = []\n            changes",
        USERS + "editing.py::test_a_new_address_ends_sessions_and_mailed_tokens_and_tells_the_old_one",
    ),
    Defence(
        "a new address ends mailed tokens",
        "accounts/user_editing.py",
        VOID + "ended = await storage.end_sessions(user_id, now)\n            changes",
        "ended = await storage.end_sessions(user_id, now)\n            changes",
        INVITATIONS + "test_an_invitation_is_void_after",
    ),
    Defence(
        "no setup outlives the factors",
        "accounts/user_access.py",
        "remove_all(storage, user)\n            await storage.void_tokens(user_id, now)",
        "remove_all(storage, user)",
        USERS + "editing.py::test_a_setup_that_is_open_ends_with_the_factors",
    ),
    Defence(
        "an invitation sets no second password",
        "features/invitations/feature.py",
        "if credential is not None and credential.secret:",
        "if credential is not None and not credential.id:",
        INVITATIONS + "test_a_password_that_came_in_another_way_stays",
    ),
    Defence(
        "another invitation voids the earlier one",
        "accounts/invitations.py",
        "await storage.void_tokens(user.id, token.created_at, self.purpose.name, keep=token.id)",
        "token.digest.strip()",
        INVITATIONS + "test_the_newest_of_two_invitations_works_with_its_roles",
    ),
    Defence(
        "an inviter is judged again",
        "features/invitations/feature.py",
        "await inviter.judge(storage, user_id, invitation.roles or None)",
        "len(inviter.id)",
        INVITERS + "test_an_inviter_is_judged_again_at_the_acceptance",
    ),
    Defence(
        "an invitation that was refused for its inviter stays void",
        "features/invitations/feature.py",
        "                await storage.use_token(token.id, now)\n                return None",
        "                return None",
        INVITERS + "test_an_invitation_that_was_refused_stays_void_when_the_right_of_its_inviter_comes_back",
    ),
    Defence(
        "the last user who may give roles does not leave",
        "accounts/authority.py",
        "            raise LastAdministratorError",
        "            return",
        "features/test_account.py::test_the_last_user_who_may_give_roles_does_not_leave",
    ),
    Defence(
        "of two administrators who leave at once, one waits for the other",
        "accounts/authority.py",
        "users = await storage.lock_users({user_id, *others})",
        "users = {each: found for each in {user_id, *others} if (found := await storage.user(each))}",
        "features/test_admin_races.py::"
        "test_of_two_administrators_who_close_their_accounts_in_two_processes_one_is_left",
    ),
    Defence(
        "an inviter is there at the acceptance",
        "features/invitations/feature.py",
        'return user is not None and user.status == "active"',
        "return user is not None",
        INVITERS + "test_an_inviter_who_is_not_judged_must_still_be_there",
    ),
    Defence(
        "an account with a password is not invited",
        "accounts/inviting.py",
        "(credential is not None and credential.secret)",
        "(credential is not None and not credential.id)",
        INVITATIONS + "test_an_account_with_a_password_is_not_invited",
    ),
    Defence(
        "administrators give what they have",
        "accounts/authority.py",
        "if gives is not None and not ({ROLES} | self._permissions.of(tuple(gives))) <= permitted:",
        "if gives is not None and not {ROLES} <= permitted:",
        INVITERS + "test_an_inviter_gives_no_more_than_there_is",
    ),
    Defence(
        "administrators do not act on users above them",
        "accounts/authority.py",
        "self.judge_user(permitted, users.get(user_id))",
        "users.get(user_id)",
        ACCESS + "test_no_one_gets_or_gives_more_than_they_have",
    ),
    Defence(
        "administrators do not act on themselves",
        "accounts/authority.py",
        "if user_id == self.id:",
        "if not user_id:",
        ACCESS + "test_no_one_gets_or_gives_more_than_they_have",
    ),
    Defence(
        "the rights of an administrator are judged under the lock",
        "accounts/authority.py",
        "if not self._needs <= permitted:",
        "if not permitted <= permitted:",
        ACCESS + "test_each_permission_is_asked_for",
    ),
    Defence(
        "an administrator who was demoted changes nothing any more",
        "accounts/authority.py",
        "users = await storage.lock_users({self.id, user_id})",
        "users = {name: user for name in (self.id, user_id) if (user := await storage.user(name)) is not None}",
        "features/test_admin_races.py::test_of_two_administrators_who_demote_each_other_in_many_processes_one_is_left",
    ),
    Defence(
        "every administrator shows a second factor",
        "accounts/authority.py",
        "if self._second_factor and MFA not in session.amr:",
        "if MFA not in session.amr and not session.id:",
        ACCESS + "test_callers_of_every_kind",
    ),
    Defence(
        "an actor proves nothing in the place of the user",
        "feature/admission.py",
        "if identity.actor is not None:\n            raise ImpersonatedError\n        await",
        "await",
        IMPERSONATION + "test_an_actor_proves_nothing_in_the_place_of_the_user",
    ),
    Defence(
        "no session with an actor is renewed",
        "sessions/service.py",
        "if identity.actor is not None:\n            raise ImpersonatedError\n        custom",
        "custom",
        IMPERSONATION + "test_the_core_renews_no_session_with_an_actor",
    ),
    Defence(
        "the session of an actor is no proof of owning the account",
        "accounts/ownership_proof.py",
        "identity.id == token.user_id and identity.actor is None:",
        "identity.id == token.user_id:",
        IMPERSONATION + "test_a_mailed_link_needs_more_than_an_actor",
    ),
    Defence(
        "an impersonation ends with the session of the administrator",
        "sessions/acting.py",
        'if actor is None or not actor.alive or actor.user_id != act["sub"]:',
        "if actor is None:",
        ENDS + "test_it_ends_with_what_the_host_changes_by_sql",
    ),
    Defence(
        "an impersonation ends with the right to it",
        "sessions/acting.py",
        "if IMPERSONATE not in permitted:",
        "if not IMPERSONATE:",
        ENDS + "test_it_ends_with_what_the_host_changes_by_sql",
    ),
    Defence(
        "an impersonation may what both may",
        "sessions/acting.py",
        "return identity.limited_by_actor(permitted, roles, outranks=outranks)",
        "return identity.limited_by_actor(permissions.declared, roles, outranks=outranks)",
        IMPERSONATION + "test_of_a_role_of_which_the_administrator_has_a_part_that_part_is_left",
    ),
    Defence(
        "the token of an impersonation is not cached",
        "sessions/verifier.py",
        "if claims.iat <= self._now() and ACT not in raw:",
        "if claims.iat <= self._now():",
        "sessions/test_acting.py::test_the_fast_path_knows_no_token_with_an_actor",
    ),
    Defence(
        "a parked session comes back to its owner alone",
        "accounts/impersonation.py",
        'if session is None or (session.id, session.user_id) != (act["sid"], act["sub"]):',
        "if session is None:",
        PARKED + "test_a_parked_session_comes_back_only_to_its_owner",
    ),
    Defence(
        "a session that comes back is no fresh login",
        "accounts/impersonation.py",
        "session.id, auth_time=0, amr=()",
        "session.id, auth_time=now, amr=()",
        PARKED + "test_the_session_of_the_administrator_is_parked_and_comes_back",
    ),
    Defence(
        "a parked session is answered in cookies alone",
        "web/request_pipeline.py",
        "values[PARKED] = own[PARKED_COOKIE]\n        is_filled = True",
        "values[PARKED] = own[PARKED_COOKIE]",
        PARKED + "test_scripts_never_get_the_tokens_of_the_administrator",
    ),
    Defence(
        "an actor ends no session of the user",
        "storage/sql_sessions.py",
        "return bool(await self.run(sessions.ADD_ACTING_SESSION, values))",
        "await self.run(sessions.END_OLDEST, {**values, 'now': session.created_at, 'most': 1})\n"
        "        return bool(await self.run(sessions.ADD_ACTING_SESSION, values))",
        IMPERSONATED + "test_it_ends_no_session_of_the_user_over_the_limit",
    ),
    Defence(
        "no cell of exported records is a formula (CSV injection)",
        "events/audit_export.py",
        'return "" if value is None else FORMULA.sub(_guarded, str(value))',
        'return "" if value is None else str(value)',
        "features/test_audit_export.py::test_no_cell_is_a_formula",
    ),
    Defence(
        "another invitation gives only roles that its author may give",
        "accounts/inviting.py",
        "await by.judge(storage, user.id, roles)",
        "pass",
        EDITING + "test_an_administrator_sends_no_invitation_with_more_than_they_may_give",
    ),
    Defence(
        "another invitation waits a minute",
        "features/admin/inviting.py",
        "if left > 0:",
        "if left > PAUSE:",
        EDITING + "test_another_invitation_waits_a_minute",
    ),
    Defence(
        "an administrator changes all of a user or nothing",
        "accounts/user_editing.py",
        "address, now = parse_email(email), self._now",
        # The fields in a transaction of their own.
        "address, now = parse_email(email), self._now\n"
        "        data = (await self.store_data(user_id, data or {}), None)[1]",
        EDITING + "test_a_change_is_whole_or_nothing",
    ),
    Defence(
        "a new address is not confirmed by the box of the old one",
        "features/admin/pages.py",
        'leaves_out=("email_verified",),',
        "leaves_out=(),",
        "pages/test_admin_editing.py::test_a_new_address_is_not_confirmed",
    ),
]
