"""Defences of a database with several servers: a part of the list of `defences`."""

from tests.security.defences import Defence

FAILOVERS = [
    Defence(
        "a change that is committed between two pages is read",
        "storage/sql_feed.py",
        'position = page.target if page else head["position"]',
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
    Defence(
        "a logout ends a session that the database has lost",
        "sessions/ends.py",
        "await self.end_lost_session(session_id)",
        "pass",
        "sessions/test_lost_logins.py::test_a_session_that_the_database_has_lost_can_be_ended",
    ),
    Defence(
        "a new login ends the session of the browser that the database has lost",
        "sessions/service.py",
        "await self.end_lost_session(client.session_id)",
        "pass",
        "sessions/test_lost_logins.py::test_a_session_that_the_database_has_lost_can_be_ended",
    ),
    Defence(
        "the end of a session that the database has lost reaches other processes",
        "storage/sql_feed.py",
        "lost = await storage.run(feed.ADD_LOST[self.dialect], values)",
        "lost = values and []",
        "sessions/test_lost_logins.py::test_a_session_that_the_database_has_lost_can_be_ended",
    ),
    Defence(
        "a refresh token ends a session that the database has lost",
        "features/revocation.py",
        "await self.auth.sessions.end_lost_session_of(token)",
        "pass",
        "sessions/test_lost_logins.py::test_a_session_that_the_database_has_lost_can_be_ended",
    ),
    Defence(
        "behind a pooler, a process that is not known there proves nothing",
        "storage/postgres_abandoned.py",
        'if row is None or row["asked"] != connection.get_server_pid():',
        "if row is None:",
        "deploy/test_commits_behind_pgbouncer.py::test_they_keep_their_places_until_they_are_given_up",
    ),
    Defence(
        "a refused question about given-up connections is asked again",
        "storage/postgres_abandoned.py",
        "asyncpg.InterfaceError, StorageUnavailableError)",
        "asyncpg.InterfaceError)",
        "storage/test_abandoned.py::test_a_question_that_is_refused_is_asked_again",
    ),
    Defence(
        "a connection that was in use leads no write back to a server that only reads",
        "storage/postgres_driver.py",
        "all_open=is_read_only(error) or connection",
        "all_open=connection",
        "storage/test_hosts.py::test_a_server_that_takes_no_writes_any_more_is_left",
    ),
    Defence(
        "a connection that a read has kept leads no write back to a server whose commits hang",
        "storage/postgres_driver.py",
        "all_open=is_read_only(error) or connection.pending is not None)",
        "all_open=is_read_only(error))",
        "storage/test_host_order.py::test_of_two_primaries_the_one_whose_commits_hang_is_left_by_reads_too",
    ),
    Defence(
        "reads keep no process at a primary where nothing commits",
        "storage/postgres_pool.py",
        "            self._avoid(hanging)\n            self.suspect(all_open=True)\n",
        "",
        "storage/test_host_order.py::"
        "test_a_process_whose_writes_are_refused_at_once_finds_the_new_primary_although_it_reads",
    ),
]
