"""Statements about the networks from which users have logged in."""

NETWORK = "SELECT digest FROM {networks} WHERE digest = :digest AND expires_at > :now"
ADD_NETWORK = """
    INSERT INTO {networks} (digest, user_id, expires_at) VALUES (:digest, :user_id, :expires_at)
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
