"""Defences of cookies beside ours, and of clocks: a part of the list of `defences`."""

from tests.security.defences import Defence

CLOCKS = [
    Defence(
        "the cookies of another installation are not deleted",
        "web/authenticator.py",
        "self.cookies.clear(keep=foreign) if genuine else []",
        "self.cookies.clear()",
        "web/test_cookies_beside_ours.py::test_cookies_that_no_key_of_ours_made_are_left_alone",
    ),
    Defence(
        "cookies of two users log nobody in",
        "web/cookie_choice.py",
        "if len({item.user_id for item in (*access, *refresh)}) > 1:",
        "if len({item.user_id for item in (*access, *refresh)}) > 2:",
        "web/test_cookies_beside_ours.py::test_two_users_are_refused_where_a_login_is_asked_for_and_break_no_public_page",
    ),
    Defence(
        "an access cookie beside the refresh cookie of another user logs nobody in",
        "web/cookie_choice.py",
        "if refresh is not None and refresh.user_id != access.user_id:",
        "if False:",
        "web/test_cookies_beside_ours.py::test_an_access_cookie_beside_the_refresh_cookie_of_another_user_is_refused",
    ),
    Defence(
        "roles that change during a handshake close the websocket",
        "sessions/revocation.py",
        "if session_id in self.dead or self.roles.get(user_id, roles) != roles:",
        "if session_id in self.dead:",
        "web/test_websocket_ends.py::test_roles_that_change_during_the_handshake_close_the_socket",
    ),
    Defence(
        "the feed of revocations goes by numbers, not by clocks",
        "sessions/revocation.py",
        "await self._storage.changes_since(0, self._position.after(started))",
        "await self._storage.changes_since(now - 30)",
        "sessions/test_clocks.py::test_an_end_reaches_a_process_with_another_clock_and_comes_back",
    ),
    Defence(
        "a process whose clock disagrees with the database's asks the database",
        "sessions/revocation.py",
        'float("-inf") if self.clock.disagrees else started + self._lag',
        "started + self._lag",
        "sessions/test_clocks.py::test_a_difference_to_the_databases_clock_is_said_once_and_makes_the_process_ask",
    ),
    Defence(
        "an end is dated by the last use of its session",
        "storage/statements/feed.py",
        "SELECT id, CASE WHEN last_used_at > :now THEN last_used_at ELSE :now END, expires_at",
        "SELECT id, :now, expires_at",
        "storage/test_contract_sessions.py::test_an_end_is_not_dated_before_the_last_use_of_the_session",
    ),
    Defence(
        "a token from the future is asked about",
        "sessions/verifier.py",
        "if self._revocation.is_fresh() and claims.iat <= now:",
        "if self._revocation.is_fresh():",
        "sessions/test_clocks.py::test_a_token_from_the_future_is_asked_about",
    ),
    Defence(
        "a lockout of a clock that was ahead binds nobody",
        "storage/statements/counters.py",
        'DEAD = "(c.expires_at <= :now OR c.expires_at - {max_skew} > :expires_at)"',
        'DEAD = "(c.expires_at <= :now)"',
        "test_clock_ahead.py::test_wrong_passwords_of_the_future_lock_nobody_out",
    ),
    Defence(
        "a login of a clock that was ahead is not fresh",
        "sessions/identity.py",
        "not -MAX_SKEW <= self._now() - self.auth_time <= fresh.total_seconds()",
        "not self._now() - self.auth_time <= fresh.total_seconds()",
        "test_clock_ahead.py::test_a_login_of_the_future_is_not_fresh",
    ),
    Defence(
        "a mailed link of a clock that was ahead is void",
        "storage/statements/tokens.py",
        "used_at IS NULL\n        AND expires_at > :now AND created_at - {max_skew} <= :now\n",
        "used_at IS NULL\n        AND expires_at > :now\n",
        "storage/test_rows_of_wrong_clocks.py::test_a_token_from_the_future_is_void",
    ),
    Defence(
        "a use in the far future does not keep a session",
        "storage/statements/sessions.py",
        "        AND last_used_at > :idle_since AND last_used_at - :now < :now - :idle_since\n",
        "        AND last_used_at > :idle_since\n",
        "storage/test_rows_of_wrong_clocks.py::test_a_session_is_idle_if_its_last_use_is_far_away_in_either_direction",
    ),
]
