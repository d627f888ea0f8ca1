"""Defences of accounts that others administer."""

from tests.security.defence import Defence

BANS = "accounts/test_bans.py::"
INVITATIONS = "features/test_invitations.py::"
USERS = "accounts/test_user_"
VOID = "await storage.void_tokens(user_id, now)\n            "
INVITERS = "features/test_inviters.py::"
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
        "an inviter is there at the acceptance",
        "features/invitations/feature.py",
        'if invitation.by not in inviters or inviters[invitation.by].status != "active":',
        "if invitation.by not in inviters:",
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
]
