"""Every SQL statement, for both PostgreSQL and SQLite: `:name` is a value, `{name}` an identifier from `Names`.

`{for_update}` and the like are row locks in PostgreSQL, and empty in SQLite. Statements that change rows return some
column of each changed row, so that callers can count them.
"""

from functools import cache

SCHEMA = "SELECT 1 AS found FROM pg_namespace WHERE nspname = :name"
CREATE_SCHEMA = "CREATE SCHEMA {schema}"
CREATE_MIGRATIONS = """
    CREATE TABLE IF NOT EXISTS {migrations} (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)
"""
MIGRATIONS = "SELECT version FROM {migrations}"
ADD_MIGRATION = "INSERT INTO {migrations} (version, applied_at) VALUES (:version, :now)"
# Inserts nothing, but fails if a column or the unique index is missing. (A SELECT of a missing column does not fail in
# SQLite, which reads the quoted name as a string.)
CHECK_USERS = """
    INSERT INTO {users} ({id}, {email}, {email_canonical}, {email_verified}, {status}, {roles}, {data},
        {created_at}, {updated_at}, {access_changed_at})
    SELECT {id}, {email}, {email_canonical}, {email_verified}, {status}, {roles}, {data},
        {created_at}, {updated_at}, {access_changed_at}
    FROM {users} WHERE 1 = 0
    ON CONFLICT ({email_canonical}) DO NOTHING
"""
SAVEPOINT = "SAVEPOINT asgi_auth"
ROLLBACK_TO_SAVEPOINT = "ROLLBACK TO SAVEPOINT asgi_auth"

ADD_USER = """
    INSERT INTO {users} ({id}, {email}, {email_canonical}, {email_verified}, {status}, {roles}, {data},
        {created_at}, {updated_at}, {access_changed_at})
    VALUES (:id, :email, :email_canonical, :email_verified, :status, :roles, :data, :created_at, :updated_at, 0)
    ON CONFLICT ({email_canonical}) DO NOTHING
    RETURNING {id}
"""
USER = "SELECT {user} FROM {users} WHERE {id} = :user_id"
USER_TO_CHANGE = "SELECT {user} FROM {users} WHERE {id} = :user_id {for_update}"
USER_BY_EMAIL = "SELECT {user} FROM {users} WHERE {email_canonical} = :canonical"
USER_WITH_CREDENTIAL = """
    SELECT u.*, c.id AS credential_id, c.user_id AS credential_user_id, c.kind AS credential_kind,
        c.identifier AS credential_identifier, c.secret AS credential_secret, c.data AS credential_data,
        c.version AS credential_version, c.created_at AS credential_created_at, c.updated_at AS credential_updated_at
    FROM (SELECT {user} FROM {users} WHERE {email_canonical} = :canonical) AS u
    LEFT JOIN {credentials} AS c ON c.user_id = u.id AND c.kind = :kind
    ORDER BY c.created_at DESC, c.id DESC LIMIT 1
"""
UPDATE_USER = """
    UPDATE {users} SET {email} = :email, {email_canonical} = :email_canonical, {email_verified} = :email_verified,
        {status} = :status, {roles} = :roles, {data} = :data, {updated_at} = :now,
        {access_changed_at} = CASE WHEN {status} <> :status OR {roles} <> :roles THEN :now ELSE {access_changed_at} END
    WHERE {id} = :user_id
    RETURNING {user}
"""

ADD_CREDENTIAL = """
    INSERT INTO {credentials} (id, user_id, kind, identifier, secret, data, version, created_at, updated_at)
    VALUES (:id, :user_id, :kind, :identifier, :secret, :data, :version, :created_at, :updated_at)
    ON CONFLICT (kind, identifier) DO NOTHING
    RETURNING id
"""
CREDENTIAL = """
    SELECT id, user_id, kind, identifier, secret, data, version, created_at, updated_at FROM {credentials}
    WHERE user_id = :user_id AND kind = :kind ORDER BY created_at DESC, id DESC LIMIT 1
"""
REPLACE_SECRET = """
    UPDATE {credentials} SET secret = :secret, version = version + 1, updated_at = :now
    WHERE id = :id AND version = :version RETURNING version
"""
# The row locks serialize this statement with changes of the credential and of the user. The count of sessions may be
# older than the locks, so concurrent logins may miss each other's sessions.
ADD_SESSION = """
    INSERT INTO {sessions} (id, user_id, generation, created_at, last_used_at, rotated_at, expires_at, auth_time, amr,
        user_agent, address)
    SELECT CAST(:id AS TEXT), u.{id}, CAST(:generation AS BIGINT), CAST(:created_at AS BIGINT),
        CAST(:last_used_at AS BIGINT), CAST(:rotated_at AS BIGINT), CAST(:expires_at AS BIGINT),
        CAST(:auth_time AS BIGINT), CAST(:amr AS TEXT), CAST(:user_agent AS TEXT), CAST(:address AS TEXT)
    FROM {credentials} AS c JOIN {users} AS u ON u.{id} = c.user_id
    WHERE c.id = :credential_id AND c.version = :version AND u.{id} = :user_id AND u.{status} = 'active'
        AND :room > (SELECT COUNT(*) FROM {sessions} AS s
            WHERE s.user_id = :user_id AND s.revoked_at IS NULL AND s.expires_at > :created_at)
    {for_no_key_update}
    RETURNING id
"""
END_OLDEST = """
    UPDATE {sessions} SET revoked_at = :now
    WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now AND id NOT IN (
        SELECT id FROM {sessions} WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now
        ORDER BY created_at DESC, id DESC LIMIT :most)
    RETURNING id
"""
SESSION = "SELECT * FROM {sessions} WHERE id = :session_id"
SESSIONS = """
    SELECT * FROM {sessions}
    WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now AND last_used_at > :idle_since
    ORDER BY created_at DESC, id DESC
"""
# A users table of the host may also have a column `user_id`, so both sides of the comparison are qualified.
ROTATE_SESSION = """
    UPDATE {sessions} SET generation = generation + CAST(:raise_by AS BIGINT), last_used_at = :now,
        rotated_at = CASE WHEN CAST(:raise_by AS BIGINT) = 1 THEN :now ELSE rotated_at END
    WHERE id = :session_id AND generation = :generation AND revoked_at IS NULL AND expires_at > :now
        AND last_used_at > :idle_since
        AND EXISTS (SELECT 1 FROM {users} AS u WHERE u.{id} = {sessions}.user_id AND u.{status} = 'active')
    RETURNING *, (SELECT u.{roles} FROM {users} AS u WHERE u.{id} = {sessions}.user_id) AS user_roles
"""
END_SESSIONS = """
    UPDATE {sessions} SET revoked_at = :now
    WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now
        AND (CAST(:only AS TEXT) IS NULL OR id = :only) AND (CAST(:keep AS TEXT) IS NULL OR id <> :keep)
    RETURNING id
"""
ACCESS = """
    SELECT s.revoked_at, s.expires_at, u.{status} AS status, u.{roles} AS roles
    FROM {sessions} AS s JOIN {users} AS u ON u.{id} = s.user_id WHERE s.id = :session_id
"""
ENDED_SINCE = "SELECT id, revoked_at FROM {sessions} WHERE revoked_at >= :since ORDER BY revoked_at"
CHANGED_SINCE = """
    SELECT {id} AS id, {roles} AS roles, {access_changed_at} AS changed_at FROM {users}
    WHERE {access_changed_at} >= :since ORDER BY {access_changed_at}
"""
PURGE_SESSIONS = """
    DELETE FROM {sessions} WHERE id IN (SELECT id FROM {sessions} WHERE expires_at < :before LIMIT :batch) RETURNING id
"""
# ADD_TOKEN counts the tokens of the last hour.
PURGE_TOKENS = """
    DELETE FROM {tokens} WHERE id IN (
        SELECT id FROM {tokens} WHERE expires_at < :before AND created_at < CAST(:before AS BIGINT) - 3600 LIMIT :batch)
    RETURNING id
"""

# The ids of the sessions and the times of their end are kept: other processes must learn of them.
ANONYMIZE_SESSIONS = """
    UPDATE {sessions} SET user_agent = '', address = '', revoked_at = COALESCE(revoked_at, :now)
    WHERE user_id = :user_id RETURNING id
"""
DELETE_USER = "DELETE FROM {users} WHERE {id} = :user_id RETURNING {id}"
STORED_CREDENTIALS = """
    SELECT kind, created_at, updated_at FROM {credentials} WHERE user_id = :user_id ORDER BY created_at
"""
STORED_SESSIONS = """
    SELECT id, created_at, last_used_at, expires_at, revoked_at, auth_time, amr, user_agent, address FROM {sessions}
    WHERE user_id = :user_id ORDER BY created_at
"""
STORED_TOKENS = """
    SELECT purpose, subject, created_at, expires_at, used_at FROM {tokens} WHERE user_id = :user_id ORDER BY created_at
"""

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

# If the user no longer exists, the record is stored without personal data. The row lock blocks a concurrent deletion.
ADD_AUDIT_RECORD = """
    INSERT INTO {audit} (id, name, outcome, code, at, user_id, session, address, user_agent, request_id, data)
    SELECT CAST(:id AS TEXT), CAST(:name AS TEXT), CAST(:outcome AS TEXT), CAST(:code AS TEXT), CAST(:at AS BIGINT),
        CAST(:user_id AS {id_type}), CAST(:session AS TEXT),
        CASE WHEN subject.user_exists THEN CAST(:address AS TEXT) ELSE '' END,
        CASE WHEN subject.user_exists THEN CAST(:user_agent AS TEXT) ELSE '' END,
        CAST(:request_id AS TEXT), CASE WHEN subject.user_exists THEN CAST(:data AS TEXT) ELSE '{{}}' END
    FROM (SELECT CAST(:user_id AS {id_type}) IS NULL OR EXISTS (
        SELECT 1 FROM {users} WHERE {id} = CAST(:user_id AS {id_type}) {for_key_share}) AS user_exists) AS subject
    WHERE 1 = 1
    ON CONFLICT (id) DO NOTHING
    RETURNING id
"""
AUDIT_RECORDS = """
    SELECT * FROM {audit} WHERE user_id = :user_id AND (CAST(:before AS TEXT) IS NULL OR id < :before)
    ORDER BY id DESC LIMIT :limit
"""
PRUNE_AUDIT_RECORDS = """
    DELETE FROM {audit} WHERE id IN (SELECT id FROM {audit} WHERE at < :before LIMIT :batch) RETURNING id
"""
ANONYMIZE_AUDIT_RECORDS = """
    UPDATE {audit} SET address = '', user_agent = '', data = '{{}}' WHERE user_id = :user_id RETURNING id
"""
STORED_AUDIT_RECORDS = """
    SELECT name, outcome, at, address, user_agent, data FROM {audit} WHERE user_id = :user_id ORDER BY id
"""

LOCK_USER = "SELECT {id} FROM {users} WHERE {id} = :user_id {for_no_key_update}"
SEE_DEVICE = "UPDATE {devices} SET seen_at = :now WHERE user_id = :user_id AND digest = :digest RETURNING digest"
DEVICES = "SELECT digest FROM {devices} WHERE user_id = :user_id ORDER BY seen_at DESC, digest"
ADD_DEVICE = "INSERT INTO {devices} (user_id, digest, seen_at) VALUES (:user_id, :digest, :now) RETURNING digest"
DELETE_DEVICE = "DELETE FROM {devices} WHERE user_id = :user_id AND digest = :digest RETURNING digest"
COUNT = """
    INSERT INTO {counters} AS c (key, count, free_at, expires_at) VALUES (:key, 1, 0, :expires_at)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN c.expires_at > :now THEN c.count + 1 ELSE 1 END,
        expires_at = CASE WHEN c.expires_at > :now THEN c.expires_at ELSE :expires_at END
    RETURNING *
"""


@cache
def count_all(number: int) -> str:
    """Return a statement that counts a number of keys at once, or none of them if one is full."""
    rows = (f"SELECT CAST(:key{i} AS TEXT) AS key, CAST(:end{i} AS BIGINT) AS expires_at" for i in range(number))
    full = (f"(f.key = :key{i} AND f.count >= :most{i})" for i in range(number))
    return f"""
        INSERT INTO {{counters}} AS c (key, count, free_at, expires_at)
        SELECT r.key, 1, 0, r.expires_at FROM ({" UNION ALL ".join(rows)}) AS r
        WHERE NOT EXISTS (SELECT 1 FROM {{counters}} AS f WHERE f.expires_at > :now AND ({" OR ".join(full)}))
        ON CONFLICT (key) DO UPDATE SET
            count = CASE WHEN c.expires_at > :now THEN c.count + 1 ELSE 1 END,
            expires_at = CASE WHEN c.expires_at > :now THEN c.expires_at ELSE excluded.expires_at END
        RETURNING key, count, expires_at
    """  # noqa: S608 (only indexes are interpolated)


@cache
def counters(number: int) -> str:
    """Return a query for a number of counters."""
    keys = ", ".join(f":key{i}" for i in range(number))
    return f"SELECT key, count, expires_at FROM {{counters}} WHERE expires_at > :now AND key IN ({keys})"  # noqa: S608


# From attempt number `after` on, each attempt doubles the pause. No row is returned during a pause.
COUNT_WITH_BACKOFF = """
    INSERT INTO {counters} AS c (key, count, free_at, expires_at) VALUES (:key, 1, :first, :expires_at)
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN c.expires_at > :now THEN c.count + 1 ELSE 1 END,
        free_at = CASE
            WHEN c.expires_at <= :now THEN :first
            WHEN c.count + 1 < :after THEN :now
            WHEN c.count + 1 - :after < :doublings
                THEN :now + (CAST(:pause AS BIGINT) << CAST(c.count + 1 - :after AS INTEGER))
            ELSE :now + :longest END,
        expires_at = :expires_at
    WHERE c.free_at <= :now
    RETURNING *
"""
COUNTER = "SELECT * FROM {counters} WHERE key = :key AND expires_at > :now"
CLEAR_COUNTER = "DELETE FROM {counters} WHERE key = :key RETURNING key"
PURGE_COUNTERS = """
    DELETE FROM {counters} WHERE key IN (SELECT key FROM {counters} WHERE expires_at < :before LIMIT :batch)
    RETURNING key
"""

#: Queries that read one row by a unique index: SQLite answers them in microseconds.
BY_KEY = frozenset({USER, USER_BY_EMAIL, USER_WITH_CREDENTIAL, CREDENTIAL, SESSION, ACCESS, COUNTER})
