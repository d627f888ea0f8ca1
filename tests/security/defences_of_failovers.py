"""Defences of a database with several servers: a part of the list of `defences`."""

from tests.security.defences import Defence

FAILOVERS = [
    Defence(
        "a change that is committed between two pages is read",
        "storage/sql_feed.py",
        'position = head["position"] if page is None else page.target',
        'position = head["position"]',
        "storage/test_feed_pages.py::"
        "test_what_is_committed_between_two_pages_is_read_at_the_latest_by_the_next_reading",
    ),
    Defence(
        "knowledge of a primary that acknowledges nothing is not fresh",
        "sessions/revocation.py",
        "else min(self._known_until, self.database.until)",
        "else self._known_until",
        "sessions/test_heartbeat.py::test_a_primary_that_cannot_commit_is_not_believed",
    ),
    Defence(
        "a primary that acknowledges nothing is not asked",
        "sessions/verifier.py",
        "await self._revocation.database.require()",
        "pass",
        "sessions/test_heartbeat.py::test_strict_does_not_believe_it_either",
    ),
    Defence(
        "a beat that was not acknowledged is no proof",
        "storage/statements/feed.py",
        "ELSE GREATEST(h.proven_at, CAST(:proven AS DOUBLE PRECISION)) END",
        "ELSE GREATEST({CLOCK}, CAST(:proven AS DOUBLE PRECISION)) END",
        "sessions/test_heartbeat.py::test_a_beat_is_written_when_the_one_before_is_old_and_proves_that_one",
    ),
    Defence(
        "a beat of another server is no proof",
        "storage/statements/feed.py",
        "WHEN CAST(:server AS TEXT) <> {SERVER} THEN h.proven_at",
        "WHEN CAST(:server AS TEXT) = '' THEN h.proven_at",
        "sessions/test_heartbeat.py::test_a_beat_of_another_server_proves_nothing",
    ),
    Defence(
        "a time limit does not acknowledge a beat",
        "storage/sql_feed.py",
        "            await storage.run(feed.LIMITS_OF_BEAT[self.dialect], {})\n",
        "",
        "sessions/test_heartbeat.py::test_a_time_limit_of_the_role_does_not_acknowledge_a_beat",
    ),
    Defence(
        "a process that freezes does not keep the heartbeat",
        "storage/statements/feed.py",
        "set_config('idle_in_transaction_session_timeout', '1s', TRUE)",
        "set_config('idle_in_transaction_session_timeout', '0', TRUE)",
        "sessions/test_heartbeat.py::test_a_process_that_freezes_before_its_commit_does_not_stop_the_beats_of_others",
    ),
    Defence(
        "a failover revives no session",
        "sessions/revocation.py",
        "self._revival.begin_anew()",
        "pass",
        "sessions/test_failover.py::test_a_standby_that_lacks_the_last_ends_gets_them_again",
    ),
]
