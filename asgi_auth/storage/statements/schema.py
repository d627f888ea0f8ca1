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
# Reads a table: SQLite answers a query without one from memory.
PING = "SELECT 1 AS found FROM {installation}"
# The encoding of the database.
ENCODING = "SELECT current_setting('server_encoding') AS encoding"
#: The columns of a table, by dialect. A trigger before an INSERT may fill any column.
COLUMNS = {
    "postgresql": """
        SELECT a.attname AS name, format_type(COALESCE(NULLIF(t.typbasetype, 0), a.atttypid), NULL) AS type,
            a.attnotnull AS required, a.atthasdef OR a.attidentity <> '' OR EXISTS (
                SELECT 1 FROM pg_trigger AS g
                WHERE g.tgrelid = a.attrelid AND NOT g.tgisinternal AND g.tgtype & 6 = 6) AS filled,
            CASE WHEN a.atttypid = CAST('character varying' AS regtype) THEN NULLIF(a.atttypmod, -1) - 4 END AS length,
            t.typtype = 'e' AS is_enum, CASE WHEN t.typbasetype = 0 THEN format_type(a.atttypid, a.atttypmod)
                ELSE format_type(t.typbasetype, t.typtypmod) END AS exact
        FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = to_regclass(CAST(:table AS TEXT)) AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
    """,
    "sqlite": """
        SELECT name, type, "notnull" OR pk > 0 AS required, dflt_value IS NOT NULL OR (pk > 0 AND type LIKE 'integer')
            AS filled, NULL AS length, 0 AS is_enum, '' AS exact
        FROM pragma_table_info(:table)
    """,
}
# Fails without a unique index of the addresses, and needs no write.
CHECK_USERS = """
    EXPLAIN INSERT INTO {users} ({email_canonical}) SELECT {email_canonical} FROM {users} WHERE 1 = 0
    ON CONFLICT ({email_canonical}) DO NOTHING
"""
SAVEPOINT = "SAVEPOINT asgi_auth"
ROLLBACK_TO_SAVEPOINT = "ROLLBACK TO SAVEPOINT asgi_auth"
# Of a user with its credentials: those around single statements are inside it.
SAVEPOINT_OF_USER = "SAVEPOINT of_user"
ROLLBACK_TO_SAVEPOINT_OF_USER = "ROLLBACK TO SAVEPOINT of_user"
