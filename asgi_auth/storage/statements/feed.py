"""Statements about the feed of changes: ended sessions, and users whose status or roles changed."""

#: Seconds that the change of a user without live sessions is kept.
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
# The sessions of users that the host has deleted.
ADD_ORPHANS = ADD_ENDED.replace("user_id = :user_id", "user_id IS NULL")
# A batch of the sessions of all users, by the primary key.
ADD_BATCH = ADD_ENDED.replace("user_id = :user_id", "id > :after AND id <= :last")
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
NEWEST = "SELECT COALESCE(MAX(number), 0) AS number, {database_time} AS now FROM {changes} WHERE number > 0"
CHANGES = """
    SELECT c.session_id, c.user_id, c.at, (SELECT {read_roles_u} FROM {users} AS u WHERE u.{id} = c.user_id) AS roles
    FROM {changes} AS c WHERE c.number > :after AND c.at >= :since ORDER BY c.number
"""
PURGE_CHANGES = """
    DELETE FROM {changes} WHERE number IN (SELECT number FROM {changes} WHERE expires_at < :before LIMIT :batch)
    RETURNING number
"""
