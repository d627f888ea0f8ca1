"""Statements about credentials."""

# `joined_credential` names the columns of `c` with a prefix: those of the user have the same names.
ADD_CREDENTIAL = """
    INSERT INTO {credentials} (id, user_id, kind, identifier, secret, data, version, created_at, updated_at)
    VALUES (:id, :user_id, :kind, :identifier, :secret, :data, :version, :created_at, :updated_at)
    ON CONFLICT (kind, identifier) DO NOTHING
    RETURNING id
"""
USER_WITH_CREDENTIAL = """
    SELECT u.*, {joined_credential}
    FROM (SELECT {user} FROM {users} WHERE {email_canonical} = :canonical) AS u
    LEFT JOIN {credentials} AS c ON c.user_id = u.id AND c.kind = :kind
    ORDER BY c.created_at DESC, c.id DESC LIMIT 1
"""
FIND_CREDENTIAL = """
    SELECT u.*, {joined_credential}
    FROM {credentials} AS c JOIN (SELECT {user} FROM {users}) AS u ON u.id = c.user_id
    WHERE c.kind = :kind AND c.identifier = :identifier
"""
CREDENTIAL = """
    SELECT * FROM {credentials}
    WHERE user_id = :user_id AND kind = :kind ORDER BY created_at DESC, id DESC LIMIT 1
"""
CREDENTIALS = """
    SELECT * FROM {credentials}
    WHERE user_id = :user_id AND (CAST(:kind AS TEXT) IS NULL OR kind = :kind) ORDER BY created_at, id
"""
ALL_CREDENTIALS = """
    SELECT * FROM {credentials} WHERE kind = :kind AND id > :after ORDER BY id LIMIT :limit
"""
CHANGE_CREDENTIAL = """
    UPDATE {credentials} SET secret = COALESCE(CAST(:secret AS TEXT), secret),
        data = COALESCE(CAST(:data AS TEXT), data), version = version + 1, updated_at = :now
    WHERE id = :id AND version = :version RETURNING *
"""
USE_CREDENTIAL = """
    UPDATE {credentials} SET used_at = :now
    WHERE id = :id AND COALESCE(used_at, 0) <= CAST(:now AS BIGINT) - CAST(:quiet AS BIGINT) RETURNING id
"""
DELETE_CREDENTIAL = "DELETE FROM {credentials} WHERE id = :id AND user_id = :user_id RETURNING *"
DELETE_CREDENTIALS = "DELETE FROM {credentials} WHERE user_id = :user_id AND kind = :kind RETURNING *"
# Without those that only claim a unique value of an extra field.
STORED_CREDENTIALS = """
    SELECT kind, created_at, updated_at, used_at FROM {credentials}
    WHERE user_id = :user_id AND SUBSTR(kind, 1, 6) <> 'field:' ORDER BY created_at
"""
