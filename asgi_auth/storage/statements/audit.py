"""Statements about audit records and known devices."""

# If the user no longer exists, the record is stored without personal data. The row lock blocks a concurrent deletion.
ADD_AUDIT_RECORD = """
    INSERT INTO {audit} AS a (id, name, outcome, code, at, user_id, session, address, user_agent, request_id, data,
        count, actor)
    SELECT CAST(:id AS TEXT), CAST(:name AS TEXT), CAST(:outcome AS TEXT), CAST(:code AS TEXT), CAST(:at AS BIGINT),
        CAST(:user_id AS {id_type}), CAST(:session AS TEXT),
        CASE WHEN subject.user_exists THEN CAST(:address AS TEXT) ELSE '' END,
        CASE WHEN subject.user_exists THEN CAST(:user_agent AS TEXT) ELSE '' END,
        CAST(:request_id AS TEXT), CASE WHEN subject.user_exists THEN CAST(:data AS TEXT) ELSE '{{}}' END,
        CAST(:count AS BIGINT), CAST(:actor AS TEXT)
    FROM (SELECT CAST(:user_id AS {id_type}) IS NULL OR EXISTS (
        SELECT 1 FROM {users} WHERE {id} = CAST(:user_id AS {id_type}) {for_key_share}) AS user_exists) AS subject
    WHERE 1 = 1
    ON CONFLICT (id) DO NOTHING
    RETURNING id
"""
COUNT_AUDIT_RECORD = ADD_AUDIT_RECORD.replace(
    "DO NOTHING", "DO UPDATE SET count = a.count + excluded.count, at = excluded.at"
)
AUDIT_RECORDS = """
    SELECT * FROM {audit} WHERE user_id = :user_id AND (CAST(:before AS TEXT) IS NULL OR id < :before)
        AND (CAST(:name AS TEXT) IS NULL OR name = :name) AND at >= CAST(:since AS BIGINT)
    ORDER BY id DESC LIMIT :limit
"""
# An id begins with a digit or a letter up to f: the bound is one for the index of SQLite also without `before`.
ALL_AUDIT_RECORDS = AUDIT_RECORDS.replace("user_id = :user_id AND ", "").replace(
    "(CAST(:before AS TEXT) IS NULL OR id < :before)", "id < COALESCE(CAST(:before AS TEXT), 'z')"
)
PRUNE_AUDIT_RECORDS = """
    DELETE FROM {audit} WHERE id IN (SELECT id FROM {audit} WHERE at < :before LIMIT :batch) RETURNING id
"""
PRUNE_AUDIT_RECORDS_WITHOUT_USER = """
    DELETE FROM {audit} WHERE id IN (SELECT id FROM {audit} WHERE user_id IS NULL AND at < :before LIMIT :batch)
    RETURNING id
"""
ANONYMIZE_AUDIT_RECORDS = """
    UPDATE {audit} SET address = '', user_agent = '', data = '{{}}' WHERE user_id = :user_id RETURNING id
"""
STORED_AUDIT_RECORDS = """
    SELECT id, name, outcome, at, address, user_agent, data, count, actor FROM {audit}
    WHERE user_id = :user_id AND id > :after ORDER BY id LIMIT :limit
"""
SEE_DEVICE = "UPDATE {devices} SET seen_at = :now WHERE user_id = :user_id AND digest = :digest RETURNING digest"
DEVICES = "SELECT digest FROM {devices} WHERE user_id = :user_id ORDER BY seen_at DESC, digest"
ADD_DEVICE = "INSERT INTO {devices} (user_id, digest, seen_at) VALUES (:user_id, :digest, :now) RETURNING digest"
DELETE_DEVICE = "DELETE FROM {devices} WHERE user_id = :user_id AND digest = :digest RETURNING digest"
