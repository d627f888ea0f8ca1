"""Defences of sessions in which administrators act for users."""

from tests.security.defence import Defence

IN = "features/test_impersonated_sessions.py::"
ENDS = "features/test_impersonation_ends.py::"
OUTRANKED = "features/test_outranked.py::"
BROWSERS = "features/test_impersonating_browsers.py::"
CALLS = "security/test_impersonated_calls.py::"
FEATURE = "features/admin/feature.py"
SERVICE = "accounts/impersonation.py"
IMPERSONATION = [
    Defence(
        "an impersonated session changes nothing of the user alone",
        "feature/admission.py",
        "if endpoint.is_for_user_alone:",
        "if False:",
        CALLS + "test_each_of_them_is_refused_by_one_clear_error",
    ),
    Defence(
        "an administrator writes nothing for a user who has risen above",
        "feature/admission.py",
        "if identity.outranks_actor:",
        "if False:",
        OUTRANKED + "test_an_administrator_writes_nothing_for_a_user_who_has_risen_above",
    ),
    Defence(
        "an impersonated session that writes is judged by the database",
        "feature/admission.py",
        "        identity = await self._confirm(identity)\n        if identity.outranks_actor:",
        "        if identity.outranks_actor:",
        OUTRANKED + "test_an_identity_from_before_is_judged_as_the_user_is_now",
    ),
    Defence(
        "a parked session is no fresh login from the beginning",
        SERVICE,
        "(links | STALE, 0) if is_parked",
        "(links, None) if is_parked",
        "features/test_parked_sessions.py::test_a_copy_of_a_parked_cookie_is_no_fresh_login",
    ),
    Defence(
        "no administrator is judged by an impersonated session",
        "accounts/authority.py",
        "if identity.actor is not None:",
        "if False:",
        CALLS + "test_the_core_refuses_too",
    ),
    Defence(
        "an impersonated session gets no second token",
        "sessions/service.py",
        "if ACTOR in session.data:",
        "if False:",
        ENDS + "test_no_token_comes_of_it",
    ),
    Defence(
        "the administrator who would impersonate is judged",
        SERVICE,
        "await by.judge(storage, user_id)",
        "await storage.lock_users({user_id})",
        IN + "test_who_may_act_for_which_user",
    ),
    Defence(
        "what an administrator began ends in the storage, too",
        SERVICE,
        "            await self._end_linked(event.user_id, session, event.client)",
        "            pass",
        ENDS + "test_all_that_one_session_began_ends_with_it",
    ),
    Defence(
        "roles that give more are left out of an impersonation",
        "sessions/acting.py",
        "if permissions.of((role,)) <= permitted)",
        "if role)",
        IN + "test_it_may_do_what_both_may_do",
    ),
    Defence(
        "an impersonation is no session over the limit",
        "storage/statements/sessions.py",
        " AND {find}(data, '\"actor\"') = 0\n            AND COALESCE",
        "\n            AND COALESCE",
        IN + "test_it_ends_no_session_of_the_user_over_the_limit",
    ),
    Defence(
        "the second factor of a parked session comes back stale",
        SERVICE,
        "{SECOND_FACTOR_AT: 0}",
        "dict[str, int]()",
        BROWSERS + "test_the_parked_session_comes_back_and_is_no_fresh_login",
    ),
    Defence(
        "only an impersonated session takes a parked one back",
        SERVICE,
        'if identity.actor is None or "sid" not in act:',
        "if False:",
        IN + "test_stopping_ends_the_session",
    ),
    Defence(
        "a login and a logout forget a parked session",
        FEATURE,
        "return endpoint.gives_tokens or endpoint.ends_session",
        'return endpoint.name in {"impersonate", "stop_impersonating"}',
        BROWSERS + "test_a_login_and_a_logout_clear_and_end_the_parked_session",
    ),
    Defence(
        "a late answer deletes no cookies of a session that came back",
        "web/authenticator.py",
        "if reason.of_actor:",
        "if False:",
        BROWSERS + "test_a_late_answer_does_not_delete_the_session_that_came_back",
    ),
]
