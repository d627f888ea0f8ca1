"""Statements of migrations and savepoints."""

SCHEMA = "SELECT 1 AS found FROM pg_namespace WHERE nspname = :name"
CREATE_SCHEMA = "CREATE SCHEMA {schema}"
CREATE_MIGRATIONS = """
    CREATE TABLE IF NOT EXISTS {migrations} (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)
"""
MIGRATIONS = "SELECT version FROM {migrations}"
ADD_MIGRATION = "INSERT INTO {migrations} (version, applied_at) VALUES (:version, :now)"
# Of many processes at once, the first one gives the id.
ADD_INSTALLATION = """
    INSERT INTO {installation} (one, id, created_at) VALUES (1, :id, :now) ON CONFLICT (one) DO NOTHING
"""
INSTALLATION = "SELECT id FROM {installation}"
# Fails if a column or the unique index is missing, and needs no write. (A SELECT of a missing column does not fail in
# SQLite, which reads the quoted name as a string.)
CHECK_USERS = """
    EXPLAIN INSERT INTO {users} ({id}, {email}, {email_canonical}, {email_verified}, {status}, {roles}, {data},
        {created_at}, {updated_at}, {access_changed_at})
    SELECT {id}, {email}, {email_canonical}, {email_verified}, {status}, {roles}, {data},
        {created_at}, {updated_at}, {access_changed_at}
    FROM {users} WHERE 1 = 0
    ON CONFLICT ({email_canonical}) DO NOTHING
"""
SAVEPOINT = "SAVEPOINT asgi_auth"
ROLLBACK_TO_SAVEPOINT = "ROLLBACK TO SAVEPOINT asgi_auth"
