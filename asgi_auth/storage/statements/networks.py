"""Statements about the networks from which users have logged in."""

NETWORK = "SELECT digest FROM {networks} WHERE digest = :digest AND expires_at > :now"
ADD_NETWORK = """
    INSERT INTO {networks} (digest, user_id, expires_at) VALUES (:digest, :user_id, :expires_at)
    ON CONFLICT (digest) DO UPDATE SET user_id = :user_id, expires_at = :expires_at
    RETURNING digest
"""
# The count may miss networks of concurrent logins.
ADD_NETWORK_WITH_ROOM = """
    INSERT INTO {networks} (digest, user_id, expires_at)
    SELECT CAST(:digest AS TEXT), u.{id}, CAST(:expires_at AS BIGINT) FROM {users} AS u
    WHERE u.{id} = :user_id AND :room > (SELECT COUNT(*) FROM {networks} AS n WHERE n.user_id = :user_id)
    ON CONFLICT (digest) DO UPDATE SET user_id = :user_id, expires_at = :expires_at
    RETURNING digest
"""
DELETE_OLDEST_NETWORKS = """
    DELETE FROM {networks} WHERE digest IN (
        SELECT digest FROM {networks} WHERE user_id = :user_id
        ORDER BY expires_at DESC, digest LIMIT :batch OFFSET :most)
    RETURNING digest
"""
PURGE_NETWORKS = """
    DELETE FROM {networks} WHERE digest IN (SELECT digest FROM {networks} WHERE expires_at < :before LIMIT :batch)
    RETURNING digest
"""
