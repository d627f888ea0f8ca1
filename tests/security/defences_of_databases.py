"""Defences around the database: its start, its URL, its file and its tables."""

from tests.security.defence import Defence

DATABASES = [
    Defence(
        "an option of a database URL that is not known is refused",
        "storage/postgres_url.py",
        "        elif name not in IGNORED:\n",
        "        elif name is None:\n",
        "storage/test_url_options.py::test_an_option_that_cannot_be_kept_is_refused_when_the_auth_is_made",
    ),
    Defence(
        "a start that the database refuses fails the start of the server",
        "web/lifespan.py",
        """        return {"type": STARTUP_FAILED, "message": f"asgi_auth cannot start: {error}"}
""",
        "        return None\n",
        "web/test_lifespan.py::test_a_start_that_fails_for_good_fails_the_server_s_and_the_host_s_lifespan_runs_once",
    ),
    Defence(
        "a start with tables that are up to date takes no lock",
        "storage/sql.py",
        "        if await missing(self):\n",
        "        if True:\n",
        "storage/test_start_reads.py::test_a_second_migration_takes_no_lock",
    ),
    Defence(
        "a user that the host has deleted by SQL has no session",
        "storage/statements/triggers.py",
        '_end("user_id IS NULL")',
        '_end("FALSE")',
        "accounts/test_changed_by_sql.py::test_a_deletion_ends_every_session",
    ),
    Defence(
        "the function of the triggers takes no table of the session for ours",
        "storage/statements/triggers.py",
        "UPDATE {{sessions_at_home}} SET revoked_at = moment",
        "UPDATE {{sessions}} SET revoked_at = moment",
        "accounts/test_changed_by_sql.py::test_a_role_of_the_host_needs_no_grant_on_our_tables",
    ),
    Defence(
        "a change by SQL is stamped at its COMMIT",
        "storage/statements/triggers.py",
        "AFTER DELETE ON {users} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
        "AFTER DELETE ON {users} DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW",
        "accounts/test_changed_by_sql.py::test_a_long_transaction_counts_from_its_commit",
    ),
    Defence(
        "a write to a SQLite file that was deleted is not acknowledged",
        "storage/sqlite.py",
        "        await self._check_file(state)\n        return result\n",
        "        return result\n",
        "storage/test_file_replaced.py::test_nothing_is_acknowledged_in_a_file_that_was_deleted",
    ),
    Defence(
        "a path without the database is not opened anew",
        "storage/sqlite_file.py",
        "!= await writer.run(lambda _: self._schema())",
        "== []",
        "storage/test_file_replaced.py::test_another_database_in_its_place_is_not_opened",
    ),
    Defence(
        "one user adds a bounded number of records",
        "events/audit_tally.py",
        '        if self._add(*kind, subject, record.actor or "") > MOST:\n',
        "        if self._add(*kind, subject) < 0:\n",
        "features/test_audit_bounds.py::test_records_of_one_kind_about_one_user_are_counted_in_one",
    ),
]
