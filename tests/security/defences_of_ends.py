"""Defences of the end of many sessions: a part of the list of `defences`."""

from tests.security.defence import Defence

SWEPT = "sessions/test_swept.py::"
FEED = "storage/test_contract_feed.py::"
LONG = "storage/test_feed_long_pages.py::"
ENDS = [
    Defence(
        "other processes learn of the end of everything",
        "storage/sql_feed.py",
        'up_to=max((row["up_to"] for row in rows if row["up_to"] is not None), default=""),',
        'up_to="",',
        SWEPT + "test_the_end_of_everything_reaches_other_processes_and_each_session_is_asked_for_once",
    ),
    Defence(
        "a session that may have ended with all others is asked for",
        "sessions/verifier.py",
        "            if dead.is_doubtful(key):\n",
        "            if not self._size:\n",
        SWEPT + "test_the_end_of_everything_reaches_other_processes_and_each_session_is_asked_for_once",
    ),
    Defence(
        "a remembered token does not outlast the end of everything",
        "sessions/verifier.py",
        "        revocation.on_swept.append(self.forget)\n",
        "",
        SWEPT + "test_a_live_session_among_those_that_ended_is_asked_for_once_for_each_end",
    ),
    Defence(
        "a login in the moment of the end of everything is judged by the database",
        "sessions/verifier.py",
        "                return await self._settled(identity)\n",
        "                raise TokenRevokedError\n",
        SWEPT + "test_a_live_session_among_those_that_ended_is_asked_for_once_for_each_end",
    ),
    Defence(
        "an answer from before an end of everything does not outlast it",
        "sessions/verifier.py",
        "dead.found_live(identity.session_id, sweeps)",
        "dead.found_live(identity.session_id, dead.sweeps)",
        SWEPT + "test_an_answer_from_before_an_end_does_not_outlast_it",
    ),
    Defence(
        "the end of everything closes websockets",
        "sessions/revocation.py",
        "        self._sockets.close_all(self.dead.is_doubtful)\n",
        "",
        SWEPT + "test_a_websocket_of_a_session_that_ended_with_all_others_is_closed",
    ),
    Defence(
        "a failover that lost the end of everything revives no session",
        "sessions/revival.py",
        "if self._dead.up_to:",
        "if not self._dead.up_to:",
        SWEPT + "test_a_failover_that_lost_the_end_of_everything_revives_no_session",
    ),
    Defence(
        "the end of everything is known as long as a token lives",
        "sessions/ended.py",
        "if self.swept_at <= before:",
        "if self.swept_at > before:",
        SWEPT + "test_the_entry_is_dropped_after_the_life_of_an_access_token_and_not_before",
    ),
    Defence(
        "several sessions of a user that end as one are told each",
        "storage/sql_feed.py",
        'for row in rows if row["ended"] is not None]',
        'for row in rows if row["ended"] == 0]',
        FEED + "test_several_sessions_of_a_user_end_as_one_and_each_is_told",
    ),
    Defence(
        "a deleted user takes no end of sessions along",
        "storage/statements/feed.py",
        "ON s.user_id IS NULL AND s.revoked_at = e.ended_at",
        "ON s.user_id IS NULL AND s.revoked_at < 0",
        FEED + "test_a_deleted_user_takes_no_end_along",
    ),
    Defence(
        "ends that come packed are known",
        "sessions/revocation.py",
        "            await self.dead.learn_many(keys, now)\n",
        "",
        LONG + "test_another_process_refuses_all_and_closes_their_websockets",
    ),
    Defence(
        "ends that come packed close websockets",
        "sessions/revocation.py",
        "            self._sockets.close_those(keys)\n",
        "",
        LONG + "test_another_process_refuses_all_and_closes_their_websockets",
    ),
    Defence(
        "only ids that unpacking gives back are packed",
        "storage/feed_pages.py",
        "return found if found.hex() == digits else None",
        "return found",
        LONG + "test_only_uuids_in_lowercase_are_packed",
    ),
    Defence(
        "what is no single end on a long page is told",
        "storage/sql_feed.py",
        'if numbers := whole["others"]:',
        'if numbers := "":',
        LONG + "test_each_end_and_what_else_is_among_them_is_told_once",
    ),
    Defence(
        "a long page ends at its last row",
        "storage/sql_feed.py",
        'int(str(whole["number"]).rpartition(",")[2])',
        "2**62",
        LONG + "test_what_is_committed_between_two_long_pages_is_read_at_the_latest_by_the_next_reading",
    ),
    Defence(
        "an end is known by the exact id",
        "sessions/ended.py",
        "if ID.fullmatch(session_id) else session_id",
        "if ID.fullmatch(session_id.lower()) else session_id",
        "sessions/test_ended.py::test_only_a_uuid_in_lowercase_is_kept_as_bytes",
    ),
]
