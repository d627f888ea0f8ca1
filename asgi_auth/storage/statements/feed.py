"""Statements about the feed of changes: ended sessions, and users whose status or roles changed.

A position names what a reader has seen. In SQLite, which has one writer, it is the newest row. In PostgreSQL it is a
snapshot: rows are committed in another order than they are numbered, and a transaction may be open for hours. Each row
has the id of its transaction. New are the rows of transactions that the snapshot did not contain: those that began
later, and those that were open. So each row is read once, however late it is committed, and an open transaction costs
no repeated reading.
"""

from asgi_auth.storage.statements import sessions

#: Seconds that the change of a user without live sessions is kept, and the end of a session without a row.
KEPT = 30 * 86400
# The last use of a session is the time of its newest access token: a writer whose clock is behind does not date an end
# before the token that it ends.
ADD_ENDED = """
    INSERT INTO {changes} (session_id, at, expires_at)
    SELECT id, CASE WHEN last_used_at > :now THEN last_used_at ELSE :now END, expires_at
    FROM {sessions} WHERE user_id = :user_id AND revoked_at = :now
    ON CONFLICT (session_id) DO NOTHING
    RETURNING number
"""
#: Sessions by their ids: in PostgreSQL joined by commas, in SQLite as JSON.
NAMED = {
    "postgresql": "id = ANY (string_to_array(CAST(:ids AS TEXT), ','))",
    "sqlite": "id IN (SELECT value FROM json_each(:ids))",
}
END_AGAIN = {
    dialect: f"UPDATE {{sessions}} SET revoked_at = :now WHERE {which} AND revoked_at IS NULL RETURNING id"  # noqa: S608
    for dialect, which in NAMED.items()
}
ADD_AGAIN = {dialect: ADD_ENDED.replace("user_id = :user_id", which) for dialect, which in NAMED.items()}
_GIVEN = {
    "postgresql": "unnest(string_to_array(CAST(:ids AS TEXT), ',')) AS given (value)",
    "sqlite": "json_each(:ids)",
}
# Sessions without a row: a failover has lost them with their login, and their access tokens are as good as before.
ADD_LOST = {
    dialect: f"""
    INSERT INTO {{changes}} (session_id, at, expires_at)
    SELECT value, CAST(:now AS BIGINT), CAST(:expires_at AS BIGINT) FROM {given}
    WHERE NOT EXISTS (SELECT 1 FROM {{sessions}} AS s WHERE s.id = value)
    ON CONFLICT (session_id) DO NOTHING
    RETURNING number
    """  # noqa: S608 (a part of this module)
    for dialect, given in _GIVEN.items()
}
# The sessions of users that the host has deleted.
ADD_ORPHANS = ADD_ENDED.replace("user_id = :user_id", "user_id IS NULL")
# One row for several sessions of a user: those that have ended in one second.
ADD_ENDED_OF_USER = """
    INSERT INTO {changes} (user_id, at, expires_at, ended_at, ended)
    SELECT user_id, MAX(CASE WHEN last_used_at > :now THEN last_used_at ELSE :now END), MAX(expires_at), revoked_at,
        COUNT(*)
    FROM {sessions} WHERE user_id = :user_id AND revoked_at = :now
    GROUP BY user_id, revoked_at HAVING COUNT(*) BETWEEN 2 AND :page
    RETURNING number
"""
# One row for a batch of the sessions of all users, by the primary key: earlier batches have ended those before.
ADD_BATCH = """
    INSERT INTO {changes} (up_to, at, expires_at)
    SELECT CAST(:last AS TEXT), MAX(CASE WHEN last_used_at > :now THEN last_used_at ELSE :now END), MAX(expires_at)
    FROM {sessions} WHERE id > :after AND id <= :last AND revoked_at = :now
    RETURNING number
"""
ADD_CHANGED = """
    INSERT INTO {changes} (user_id, at, expires_at)
    SELECT u.{id}, CASE WHEN subject.used > :now THEN subject.used ELSE :now END,
        CASE WHEN subject.ends > :expires_at THEN subject.ends ELSE :expires_at END
    FROM {users} AS u, (
        SELECT MAX(last_used_at) AS used, MAX(expires_at) AS ends FROM {sessions}
        WHERE user_id = :user_id AND revoked_at IS NULL) AS subject
    WHERE u.{id} = :user_id
    RETURNING number
"""
# A row that is no longer the same, or a server that has started again, shows that the database may have been restored.
# Statistics are reset after a crash, when the ids of transactions that were not yet on disk are used again.
NEWEST_ROW = "number || '/' || COALESCE(session_id, user_id, up_to) || '/' || at"
SERVER = """CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) AS TEXT) || '+' ||
        COALESCE((SELECT CAST(EXTRACT(EPOCH FROM stats_reset) AS TEXT) FROM pg_stat_archiver), '') ||
        CASE WHEN pg_is_in_recovery() THEN '+standby' ELSE '' END"""
CLOCK = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"
READS_ONLY = "current_setting('transaction_read_only') = 'on'"
#: The present position, the time of the database, whether the position `after` is one of this database, and the
#: heartbeat. A primary that only reads can take no beat, and shows none; a standby has that of its primary.
POSITION = {
    "sqlite": f"""
        SELECT COALESCE((SELECT {NEWEST_ROW} FROM {{changes}}
                WHERE number = (SELECT MAX(number) FROM {{changes}} WHERE number > 0)), '0') AS position, NULL AS now,
            :after = '0' OR EXISTS (SELECT 1 FROM {{changes}}
                WHERE number = CAST(:after AS INTEGER) AND {NEWEST_ROW} = :after) AS is_known,
            NULL AS server
    """,  # noqa: S608 (a part of this module)
    # A server in recovery does not list the transactions that are open: all from the oldest one on are read again.
    "postgresql": f"""
        SELECT server || '/' || CASE
                WHEN pg_is_in_recovery() THEN CAST(pg_snapshot_xmin(seen) AS TEXT) || '/'
                ELSE CAST(pg_snapshot_xmax(seen) AS TEXT) || '/' ||
                    array_to_string(ARRAY(SELECT pg_snapshot_xip(seen)), ',') END AS position,
            {CLOCK} AS now, split_part(CAST(:after AS TEXT), '/', 1) = server AS is_known,
            CASE WHEN pg_is_in_recovery() OR NOT {READS_ONLY} THEN server END AS server,
            {CLOCK} - COALESCE((SELECT beat_at FROM {{heartbeat}} WHERE id = 1), 0) AS age,
            {CLOCK} - COALESCE((SELECT proven_at FROM {{heartbeat}} WHERE id = 1), 0) AS proven
        FROM (SELECT {SERVER} AS server, pg_current_snapshot() AS seen) AS present
    """,  # noqa: S608 (a part of this module)
}
# One row. A beat that was acknowledged proves nothing about another server, and one from the future nothing at all.
BEAT = {
    "postgresql": f"""
        INSERT INTO {{heartbeat}} AS h (id, beat_at, proven_at) VALUES (1, {CLOCK}, 0)
        ON CONFLICT (id) DO UPDATE SET beat_at = {CLOCK}, proven_at = CASE
            WHEN CAST(:server AS TEXT) <> {SERVER} THEN h.proven_at
            WHEN h.proven_at > {CLOCK} THEN CAST(:proven AS DOUBLE PRECISION)
            ELSE GREATEST(h.proven_at, CAST(:proven AS DOUBLE PRECISION)) END
        WHERE {CLOCK} - h.beat_at NOT BETWEEN 0 AND CAST(:after AS DOUBLE PRECISION)
        RETURNING beat_at AS at, {SERVER} AS server
    """  # noqa: S608 (a part of this module)
}
# A process that freezes before its commit must not keep the row: no other process could beat. PostgreSQL ends no commit
# that waits for a standby by a time limit, so that none counts as acknowledged.
LIMITS_OF_BEAT = {"postgresql": "SELECT set_config('idle_in_transaction_session_timeout', '1s', TRUE)"}
CANNOT_BEAT = {"postgresql": f"SELECT {READS_ONLY} AS reads_only"}
# A session that began while a transaction switched its user off is left over: an older snapshot does not see it.
LEFT_OVER = """
    SELECT s.id, s.last_used_at FROM {sessions} AS s JOIN {users} AS u ON u.{id} = s.user_id
    WHERE s.user_id = :user_id AND s.revoked_at IS NULL AND ({read_status_u} = 'active') IS NOT TRUE
"""
# A session that has lost authentication methods: its access tokens still name them.
LOWERED = f"""
    SELECT s.id FROM {{sessions}} AS s
    WHERE s.user_id = :user_id AND s.revoked_at IS NULL AND {{find}}(s.data, '"{sessions.LOWERED}"') > 0
"""  # noqa: S608 (a name of this package)
#: What a row of the feed says, and its place among the others.
ROW = "number, session_id, user_id, at, ended_at, ended, up_to"
#: A page of the rows after a position. In PostgreSQL, those of the transactions that were `open` come first: their ids
#: are smaller than `seen`. One that is still open shows nothing, and its rows, which may be a million, are not looked
#: at. No genuine row has an id from the future, as a dump of another server may.
ROWS_AFTER = {
    "sqlite": f"SELECT {ROW} FROM {{changes}} WHERE number > :number ORDER BY number LIMIT :page",  # noqa: S608
    "postgresql": f"""
        (SELECT late.* FROM unnest(CAST(string_to_array(:open, ',') AS xid8[])) AS x (id) CROSS JOIN LATERAL (
            SELECT {ROW}, transaction_id FROM {{changes}}
            WHERE transaction_id = x.id
                AND number > CASE WHEN x.id = CAST(CAST(:last AS TEXT) AS xid8) THEN CAST(:number AS BIGINT)
                    ELSE {-(2**62)} END
            ORDER BY number LIMIT :page) AS late
        WHERE x.id >= CAST(CAST(:last AS TEXT) AS xid8) AND pg_visible_in_snapshot(x.id, pg_current_snapshot())
        ORDER BY transaction_id, number LIMIT :page)
        UNION ALL
        (SELECT {ROW}, transaction_id FROM {{changes}}
        WHERE (transaction_id, number) > (CAST(CAST(:seen AS TEXT) AS xid8), CAST(:seen_number AS BIGINT))
            AND transaction_id < pg_snapshot_xmax(pg_current_snapshot())
        ORDER BY transaction_id, number LIMIT :page)
        ORDER BY transaction_id, number LIMIT :page
    """,  # noqa: S608 (a part of this module)
}


def rows_since(dialect: str) -> str:
    """Return the statement for a page of the rows since a time, by the time; `number` is that of the last row."""
    place = ", transaction_id" if dialect == "postgresql" else ""
    return f"""
        SELECT {ROW}{place} FROM {{changes}} WHERE (at, number) > (CAST(:at AS BIGINT), CAST(:number AS BIGINT))
        ORDER BY at, number LIMIT :page
    """  # noqa: S608 (a part of this module)


def with_users(rows: str, dialect: str) -> str:
    """Return a statement for rows of the feed with what the database says of their users now."""
    one_left_over = LEFT_OVER.replace("s.id, s.last_used_at", "s.id").replace(":user_id", "entry.user_id")
    one_lowered = LOWERED.replace(":user_id", "entry.user_id")
    in_server = dialect == "postgresql"
    changed = "entry.user_id IS NOT NULL AND entry.ended_at IS NULL"
    return f"""
        SELECT entry.number, entry.session_id, entry.user_id, entry.at, entry.ended, entry.up_to,
            {"CAST(entry.transaction_id AS TEXT)" if in_server else "0"} AS place,
            CASE WHEN {changed} THEN ({one_left_over} LIMIT 1) END AS left_over,
            CASE WHEN {changed} THEN ({one_lowered} LIMIT 1) END AS lowered,
            CASE WHEN {changed} THEN
                (SELECT {{read_roles_u}} FROM {{users}} AS u WHERE u.{{id}} = entry.user_id) END AS roles
        FROM ({rows}) AS entry
    """  # noqa: S608 (a part of this module)


CHANGES_SINCE = {dialect: with_users(rows_since(dialect), dialect) for dialect in ROWS_AFTER}
CHANGES_AFTER = {dialect: with_users(rows, dialect) for dialect, rows in ROWS_AFTER.items()}


def _ended(which: str) -> str:
    return f"""
        SELECT s.id, e.at
        FROM {{changes}} AS e JOIN {{sessions}} AS s ON s.user_id = e.user_id AND s.revoked_at = e.ended_at
        WHERE {which}
        UNION ALL
        SELECT s.id, e.at
        FROM {{changes}} AS e JOIN {{sessions}} AS s ON s.user_id IS NULL AND s.revoked_at = e.ended_at
        WHERE {which} AND NOT EXISTS (SELECT 1 FROM {{users}} AS u WHERE u.{{id}} = e.user_id)
    """  # noqa: S608 (a condition of this module)


#: The sessions of rows for several sessions of a user. Those of a user who was deleted since have no user any more.
ENDED = {
    "postgresql": _ended("e.number = ANY (CAST(string_to_array(:numbers, ',') AS BIGINT[]))"),
    "sqlite": _ended("e.number IN (SELECT value FROM json_each(:numbers))"),
}
# The newest row stays: it is the position of the readers in SQLite.
PURGE_CHANGES = """
    DELETE FROM {changes} WHERE number IN (
        SELECT number FROM {changes} WHERE expires_at < :before
            AND number <> (SELECT MAX(number) FROM {changes} WHERE number > 0) LIMIT :batch)
    RETURNING number
"""
