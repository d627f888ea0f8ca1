"""Statements about one-time tokens."""

# The slot is the creation time divided by `quiet`. It is unique, so of concurrent calls in one slot only one succeeds.
ADD_TOKEN = """
    INSERT INTO {tokens} (id, purpose, subject, user_id, digest, code, data, attempts, slot, created_at, expires_at)
    SELECT CAST(:id AS TEXT), CAST(:purpose AS TEXT), CAST(:subject AS TEXT), CAST(:user_id AS {id_type}),
        CAST(:digest AS TEXT), CAST(:code AS TEXT), CAST(:data AS TEXT), 0, CAST(:slot AS BIGINT),
        CAST(:created_at AS BIGINT), CAST(:expires_at AS BIGINT)
    WHERE (
            :most > (
                SELECT COUNT(*) FROM {tokens} WHERE purpose = :purpose AND subject = :subject AND created_at > :since)
            OR NOT EXISTS (
                SELECT 1 FROM {tokens}
                WHERE purpose = :purpose AND subject = :subject AND expires_at > CAST(:created_at AS BIGINT)))
        AND NOT EXISTS (
            SELECT 1 FROM {tokens} WHERE purpose = :purpose AND subject = :subject AND created_at > :quiet_since)
    ON CONFLICT (purpose, subject, slot) DO NOTHING
    RETURNING id
"""
FIND_TOKEN = """
    SELECT * FROM {tokens} WHERE digest = :digest AND purpose = :purpose AND used_at IS NULL AND expires_at > :now
"""
# Each side of the OR has an index: the primary key, and the unique index of the slots.
RECALL_TOKEN = """
    SELECT * FROM {tokens}
    WHERE (id = :id AND subject = :subject OR purpose = :purpose AND subject = :subject)
        AND used_at IS NULL AND expires_at > :now
    ORDER BY CASE WHEN id = :id THEN 0 ELSE 1 END, created_at DESC LIMIT 1
"""
TRY_CODE = """
    UPDATE {tokens} SET attempts = attempts + 1
    WHERE id = :id AND purpose = :purpose AND used_at IS NULL AND expires_at > :now AND attempts < :tries
    RETURNING *
"""
USE_TOKEN = "UPDATE {tokens} SET used_at = :now WHERE id = :id AND used_at IS NULL AND expires_at > :now RETURNING id"
VOID_TOKENS = """
    UPDATE {tokens} SET used_at = :now
    WHERE user_id = :user_id AND used_at IS NULL AND (CAST(:purpose AS TEXT) IS NULL OR purpose = :purpose)
        AND (CAST(:keep AS TEXT) IS NULL OR id <> :keep)
    RETURNING id
"""
VOID_SUBJECT = """
    UPDATE {tokens} SET used_at = :now
    WHERE purpose = :purpose AND subject = :subject AND user_id IS NULL AND used_at IS NULL
    RETURNING id
"""
STORED_TOKENS = """
    SELECT purpose, subject, created_at, expires_at, used_at FROM {tokens} WHERE user_id = :user_id ORDER BY created_at
"""
# ADD_TOKEN counts the tokens of the last hour.
PURGE_TOKENS = """
    DELETE FROM {tokens} WHERE id IN (
        SELECT id FROM {tokens} WHERE expires_at < :before AND created_at < CAST(:before AS BIGINT) - 3600 LIMIT :batch)
    RETURNING id
"""
