"""Statements about sessions."""

# The row locks serialize this statement with changes of the credential and of the user, and with the deletion of the
# second factor: a row that is locked is read again, and one of a subquery would not be. The count of sessions may be
# older than the locks, so concurrent logins may miss each other's sessions.
_ADD_SESSION = """
    INSERT INTO {sessions} (id, user_id, generation, created_at, last_used_at, rotated_at, expires_at, auth_time, amr,
        user_agent, address, data, grant_id)
    SELECT CAST(:id AS TEXT), u.{id}, CAST(:generation AS BIGINT), CAST(:created_at AS BIGINT),
        CAST(:last_used_at AS BIGINT), CAST(:rotated_at AS BIGINT), CAST(:expires_at AS BIGINT),
        CAST(:auth_time AS BIGINT), CAST(:amr AS TEXT), CAST(:user_agent AS TEXT), CAST(:address AS TEXT),
        CAST(:data AS TEXT), CAST(:grant_id AS TEXT)
    FROM {credentials} AS c JOIN {users} AS u ON u.{id} = c.user_id
        JOIN {credentials} AS f ON f.user_id = u.{id} AND f.id = :factor_id
    WHERE c.id = :credential_id AND c.version = :version AND u.{id} = :user_id AND {read_status_u} = 'active'
        AND :room > (SELECT COUNT(*) FROM {sessions} AS s
            WHERE s.user_id = :user_id AND s.revoked_at IS NULL AND s.expires_at > :created_at
                AND COALESCE(s.grant_id, '') = COALESCE(CAST(:grant_id AS TEXT), ''))
    {for_no_key_update}
    RETURNING id"""
# `login_noted` sets the time of the last login of the user in the same statement; in SQLite, a trigger does. A session
# of an administrator who acts for the user is no login of the user, and neither is that of a client.
ADD_SESSION = {
    "sqlite": _ADD_SESSION,
    "postgresql": f"""
        WITH added AS (
            {_ADD_SESSION}, user_id, created_at, strpos(data, '"actor"') = 0 AND grant_id IS NULL AS is_own)
            {{login_noted}}
        SELECT id FROM added
    """,  # noqa: S608 (a part of this module)
}
#: `login_noted` where the users table has a column for it.
NOTE_LOGIN = """, noted AS (
            UPDATE {users} SET {last_login_at} = {put_login_of_added} FROM added
            WHERE {users}.{id} = added.user_id AND added.is_own)"""
# No login of the user, and of no credential.
ADD_ACTING_SESSION = (
    _ADD_SESSION.partition("    FROM {credentials}")[0]
    + """
    FROM {users} AS u WHERE u.{id} = :user_id AND {read_status_u} = 'active' {for_no_key_update}
    RETURNING id
"""
)
# Sessions in which another user acts are no logins. Own sessions count among themselves, and those of each grant.
END_OLDEST = """
    UPDATE {sessions} SET revoked_at = :now
    WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now AND {find}(data, '"actor"') = 0
        AND COALESCE(grant_id, '') = COALESCE(CAST(:grant_id AS TEXT), '') AND id NOT IN (
        SELECT id FROM {sessions}
        WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now AND {find}(data, '"actor"') = 0
            AND COALESCE(grant_id, '') = COALESCE(CAST(:grant_id AS TEXT), '')
        ORDER BY created_at DESC, id DESC LIMIT :most)
    RETURNING id
"""
SESSION = "SELECT * FROM {sessions} WHERE id = :session_id"
SESSIONS = """
    SELECT * FROM {sessions}
    WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now AND last_used_at > :idle_since
        AND grant_id IS NULL
    ORDER BY created_at DESC, id DESC
"""
#: Whether the grant of a session, if it has one, still exists. PostgreSQL 18 may answer EXISTS by reading all
#: credentials, and counts by the index.
GRANTED = """(s.grant_id IS NULL OR 1 = (
            SELECT COUNT(*) FROM {credentials} AS g WHERE g.id = s.grant_id AND g.user_id = s.user_id))"""
_GRANTED_HERE = GRANTED.replace("s.", "{sessions}.")
# A last use that is as far in the future as an idle session's is in the past was set by a clock that was ahead.
# A users table of the host may also have a column `user_id`, so both sides of the comparison are qualified.
ROTATE_SESSION = f"""
    UPDATE {{sessions}} SET generation = CAST(:generation AS BIGINT) + CAST(:raise_by AS BIGINT),
        last_used_at = :now,
        used_generation = :generation,
        rotated_at = CASE WHEN CAST(:raise_by AS BIGINT) = 1 THEN :now ELSE rotated_at END
    WHERE id = :session_id AND generation = :generation AND revoked_at IS NULL AND expires_at > :now
        AND last_used_at > :idle_since AND last_used_at - :now < :now - :idle_since
        AND (grant_id IS NOT NULL) = CAST(:grant AS BOOLEAN) AND {_GRANTED_HERE}
        AND EXISTS (SELECT 1 FROM {{users}} AS u WHERE u.{{id}} = {{sessions}}.user_id AND {{read_status_u}} = 'active')
    RETURNING *, (SELECT {{read_roles_u}} FROM {{users}} AS u WHERE u.{{id}} = {{sessions}}.user_id) AS user_roles
"""  # noqa: S608 (a condition of this module)
#: For a token that is newer than its session: the database has lost rotations.
RAISE_SESSION = ROTATE_SESSION.replace("generation = :generation AND", "generation < :generation AND")
# The lock of the session serializes this with `SET_METHODS`, which follows the deletion of a factor.
SESSION_TO_CHANGE = "SELECT * FROM {sessions} WHERE id = :session_id {for_no_key_update}"
RENEW_SESSION = """
    UPDATE {sessions} SET auth_time = :auth_time, amr = :amr, data = :data
    WHERE id = :session_id AND revoked_at IS NULL AND expires_at > :now
        AND grant_id IS NULL
        AND EXISTS (SELECT 1 FROM {users} AS u WHERE u.{id} = {sessions}.user_id AND {read_status_u} = 'active')
        AND (CAST(:factor_id AS TEXT) IS NULL OR EXISTS (
            SELECT 1 FROM {credentials} AS f WHERE f.id = :factor_id AND f.user_id = {sessions}.user_id))
    RETURNING *, (SELECT {read_roles_u} FROM {users} AS u WHERE u.{id} = {sessions}.user_id) AS user_roles
"""
# In the order of their ids: concurrent calls do not deadlock.
SESSIONS_TO_CHANGE = """
    SELECT * FROM {sessions} WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now
    ORDER BY id {for_no_key_update}
"""
SET_METHODS = "UPDATE {sessions} SET amr = :amr, data = :data WHERE id = :session_id RETURNING id"
#: The member of a session's data that `SET_METHODS` leaves: the time at which methods were taken away.
LOWERED = "methods_taken_at"
USE_GENERATION = """
    UPDATE {sessions} SET used_generation = :generation
    WHERE id = :session_id AND used_generation < :generation AND generation >= :generation
    RETURNING id
"""
# A session that looks expired is ended, too: the clock of this process may be ahead.
END_SESSIONS = """
    UPDATE {sessions} SET revoked_at = :now
    WHERE user_id = :user_id AND revoked_at IS NULL
        AND (CAST(:only AS TEXT) IS NULL OR id = :only) AND (CAST(:keep AS TEXT) IS NULL OR id <> :keep)
        AND (CAST(:grant_id AS TEXT) IS NULL OR grant_id = :grant_id)
    RETURNING id, expires_at
"""
END_BATCH = """
    UPDATE {sessions} SET revoked_at = :now
    WHERE id IN (SELECT id FROM {sessions} WHERE id > :after AND revoked_at IS NULL
            AND (CAST(:up_to AS TEXT) IS NULL OR id <= :up_to)
            AND (CAST(:begun_by AS BIGINT) IS NULL OR created_at <= :begun_by)
        ORDER BY id LIMIT :batch)
    RETURNING id
"""
END_INACTIVE = """
    UPDATE {sessions} SET revoked_at = :now
    WHERE user_id = :user_id AND revoked_at IS NULL AND EXISTS (
        SELECT 1 FROM {users} AS u WHERE u.{id} = {sessions}.user_id AND ({read_status_u} = 'active') IS NOT TRUE)
    RETURNING id
"""
# The sessions of users that the host has deleted.
END_ORPHANS = "UPDATE {sessions} SET revoked_at = :now WHERE user_id IS NULL AND revoked_at IS NULL RETURNING id"
ACCESS = f"""
    SELECT s.user_id, s.revoked_at, s.expires_at, s.amr, {GRANTED} AS granted,
        {{read_status_u}} AS status, {{read_roles_u}} AS roles
    FROM {{sessions}} AS s JOIN {{users}} AS u ON u.{{id}} = s.user_id WHERE s.id = :session_id
"""  # noqa: S608 (a condition of this module)
# The ids of the sessions and the times of their end are kept: other processes must learn of them.
ANONYMIZE_SESSIONS = """
    UPDATE {sessions} SET user_agent = '', address = '', revoked_at = COALESCE(revoked_at, :now)
    WHERE user_id = :user_id RETURNING id
"""
STORED_SESSIONS = """
    SELECT id, created_at, last_used_at, expires_at, revoked_at, auth_time, amr, user_agent, address FROM {sessions}
    WHERE user_id = :user_id ORDER BY created_at
"""
PURGE_SESSIONS = """
    DELETE FROM {sessions} WHERE id IN (SELECT id FROM {sessions} WHERE expires_at < :before LIMIT :batch) RETURNING id
"""
