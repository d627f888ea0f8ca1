"""Statements about one-time tokens. A token from the future is void: the clock that made it was ahead."""

# A token that is sent again keeps its id. The slot is random: with purpose and subject it is unique.
ADD_TOKEN = """
    INSERT INTO {tokens} (id, purpose, subject, asker, user_id, digest, code, data, attempts, password_attempts,
        slot, created_at, expires_at)
    VALUES (:id, :purpose, :subject, :asker, :user_id, :digest, :code, :data, 0, 0, :slot, :created_at, :expires_at)
    ON CONFLICT (id) DO UPDATE SET purpose = excluded.purpose, subject = excluded.subject, asker = excluded.asker,
        user_id = excluded.user_id, digest = excluded.digest, code = excluded.code, data = excluded.data,
        attempts = 0, password_attempts = 0, created_at = excluded.created_at, expires_at = excluded.expires_at,
        used_at = NULL
    RETURNING id
"""
FIND_TOKEN = """
    SELECT * FROM {tokens} WHERE digest = :digest AND purpose = :purpose AND used_at IS NULL
        AND expires_at > :now AND created_at - {max_skew} <= :now
"""
TOKENS = """
    SELECT * FROM {tokens}
    WHERE user_id = :user_id AND purpose = :purpose
        AND used_at IS NULL AND expires_at > :now AND created_at - {max_skew} <= :now
    ORDER BY created_at DESC, id DESC
"""
CHANGE_TOKEN = """
    UPDATE {tokens} SET user_id = :user_id, data = :data
    WHERE id = :id AND user_id IS NULL AND used_at IS NULL AND expires_at > :now AND created_at - {max_skew} <= :now
    RETURNING id
"""
# Each side of the OR has an index: the primary key, and the unique index of the slots.
RECALL_TOKEN = """
    SELECT * FROM {tokens}
    WHERE (id = :id AND subject = :subject OR purpose = :purpose AND subject = :subject)
        AND used_at IS NULL AND expires_at > :now AND created_at - {max_skew} <= :now
    ORDER BY CASE WHEN id = :id THEN 0 ELSE 1 END, created_at DESC LIMIT 1
"""
TRY_CODE = """
    UPDATE {tokens} SET attempts = attempts + CASE WHEN code = :code THEN 0 ELSE 1 END
    WHERE id = :id AND purpose = :purpose AND created_at - {max_skew} <= :now
        AND used_at IS NULL AND expires_at > :now AND attempts < :tries
    RETURNING *
"""
COUNT_PASSWORD = """
    UPDATE {tokens} SET password_attempts = password_attempts + 1
    WHERE id = :id AND used_at IS NULL AND created_at - {max_skew} <= :now
        AND expires_at > :now AND password_attempts < :tries
    RETURNING id
"""
UNCOUNT_PASSWORD = """
    UPDATE {tokens} SET password_attempts = password_attempts - 1 WHERE id = :id AND password_attempts > 0 RETURNING id
"""
USE_TOKEN = """
    UPDATE {tokens} SET used_at = :now, data = '{{}}' WHERE id = :id AND used_at IS NULL AND expires_at > :now
        AND created_at - {max_skew} <= :now
    RETURNING id
"""
VOID_TOKENS = """
    UPDATE {tokens} SET used_at = :now, data = '{{}}'
    WHERE user_id = :user_id AND used_at IS NULL AND (CAST(:purpose AS TEXT) IS NULL OR purpose = :purpose)
        AND (CAST(:keep AS TEXT) IS NULL OR id <> :keep)
    RETURNING id
"""
VOID_EARLIER = """
    UPDATE {tokens} SET used_at = :now, data = '{{}}'
    WHERE subject = :subject AND purpose = :purpose AND asker = :asker AND id <> :id AND used_at IS NULL
    RETURNING id
"""
VOID_SUBJECT = """
    UPDATE {tokens} SET used_at = :now, data = '{{}}'
    WHERE subject = :subject AND purpose = :purpose AND user_id IS NULL AND used_at IS NULL
    RETURNING id
"""
VOID_BATCH = """
    UPDATE {tokens} SET used_at = :now, data = '{{}}'
    WHERE id IN (SELECT id FROM {tokens} WHERE id > :after AND used_at IS NULL ORDER BY id LIMIT :batch)
    RETURNING id
"""
DELETE_TOKENS_ABOUT = "DELETE FROM {tokens} WHERE subject = :subject RETURNING id"
# Tokens about the address of a user, which may be older than the account; those with the user's id cascade.
DELETE_TOKENS_OF = """
    DELETE FROM {tokens} WHERE subject IN (SELECT {email_canonical} FROM {users} WHERE {id} = :user_id) RETURNING id
"""
STORED_TOKENS = """
    SELECT purpose, subject, created_at, expires_at, used_at FROM {tokens} WHERE user_id = :user_id ORDER BY created_at
"""
PURGE_TOKENS = """
    DELETE FROM {tokens} WHERE id IN (SELECT id FROM {tokens} WHERE expires_at < :before LIMIT :batch) RETURNING id
"""
