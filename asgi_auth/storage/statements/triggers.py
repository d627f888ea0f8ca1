"""Triggers on the users table, by dialect.

In PostgreSQL they fire at COMMIT, so that a change is dated when it takes effect. A switch to `active` ends sessions,
too: one that is left from before must not come back. The function runs with the rights of its owner: a role of the host
needs none on the tables of the library. So every name in it is qualified, and the search path holds no schema that
others may write to.
"""

NAMES = ("users_changed", "users_deleted")
#: The trigger that notes logins in SQLite, where no statement changes two tables.
OF_LOGINS = "sessions_added"
FIND = {
    "postgresql": "SELECT tgname AS name FROM pg_trigger WHERE tgrelid = to_regclass(CAST(:table AS TEXT))",
    "sqlite": """
        SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name COLLATE NOCASE IN (:table, :sessions)
    """,
}
SCHEMA_OF = """
    SELECT n.nspname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = to_regclass(CAST(:table AS TEXT))
"""


def _end(which: str) -> str:
    """Return the statement that ends sessions in PostgreSQL, and adds them to the feed."""
    return f"""WITH ended AS (
                    UPDATE {{sessions_at_home}} SET revoked_at = moment WHERE {which} AND revoked_at IS NULL
                    RETURNING id, last_used_at, expires_at)
                INSERT INTO {{changes_at_home}} (session_id, at, expires_at)
                SELECT id, GREATEST(last_used_at, moment), expires_at FROM ended
                ON CONFLICT (session_id) DO NOTHING;"""  # noqa: S608 (a condition of this module)


FUNCTION = """
    CREATE OR REPLACE FUNCTION {home}.{users_changed}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $body$
    DECLARE
        moment BIGINT = FLOOR(EXTRACT(EPOCH FROM clock_timestamp()));
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            UPDATE {users_at_home} SET {access_changed_at} = GREATEST({access_changed_at}, {moment_as_access})
            WHERE {id} = NEW.{id};
            INSERT INTO {changes_at_home} (user_id, at, expires_at) VALUES (NEW.{id}, moment, moment + 2592000);
            IF {read_status_new} IS DISTINCT FROM 'active' OR {read_status_old} IS DISTINCT FROM 'active' THEN
                <end those of the user>
            END IF;
        ELSE
            <end those of no user>
        END IF;
        PERFORM pg_notify('{channel}', '');
        RETURN NULL;
    END
    $body$
"""
POSTGRES = (
    FUNCTION.replace("<end those of the user>", _end("user_id = NEW.{id}")).replace(
        "<end those of no user>", _end("user_id IS NULL")
    ),
    """
    CREATE CONSTRAINT TRIGGER {users_changed} AFTER UPDATE ON {users} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.{status} IS DISTINCT FROM NEW.{status} OR {read_roles_old} IS DISTINCT FROM {read_roles_new})
        AND OLD.{access_changed_at} IS NOT DISTINCT FROM NEW.{access_changed_at})
    EXECUTE FUNCTION {home}.{users_changed}()
    """,
    """
    CREATE CONSTRAINT TRIGGER {users_deleted} AFTER DELETE ON {users} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION {home}.{users_changed}()
    """,
)
SQLITE = (
    """
    CREATE TRIGGER IF NOT EXISTS {users_changed} AFTER UPDATE OF {status}, {roles} ON {users}
    WHEN (OLD.{status} IS NOT NEW.{status} OR OLD.{roles} IS NOT NEW.{roles})
        AND OLD.{access_changed_at} IS NEW.{access_changed_at}
    BEGIN
        UPDATE {users} SET {access_changed_at} = MAX(COALESCE({access_changed_at}, 0), {moment_as_access})
        WHERE {id} = NEW.{id};
        INSERT INTO {changes} (user_id, at, expires_at)
        SELECT NEW.{id}, CAST(strftime('%s', 'now') AS INTEGER), CAST(strftime('%s', 'now') AS INTEGER) + 2592000;
        INSERT INTO {changes} (session_id, at, expires_at)
        SELECT id, MAX(last_used_at, CAST(strftime('%s', 'now') AS INTEGER)), expires_at FROM {sessions}
        WHERE user_id = NEW.{id} AND revoked_at IS NULL
            AND ({read_status_new} IS NOT 'active' OR {read_status_old} IS NOT 'active')
        ON CONFLICT (session_id) DO NOTHING;
        UPDATE {sessions} SET revoked_at = CAST(strftime('%s', 'now') AS INTEGER)
        WHERE user_id = NEW.{id} AND revoked_at IS NULL
            AND ({read_status_new} IS NOT 'active' OR {read_status_old} IS NOT 'active');
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS {users_deleted} BEFORE DELETE ON {users}
    BEGIN
        INSERT INTO {changes} (session_id, at, expires_at)
        SELECT id, MAX(last_used_at, CAST(strftime('%s', 'now') AS INTEGER)), expires_at FROM {sessions}
        WHERE user_id = OLD.{id} AND revoked_at IS NULL
        ON CONFLICT (session_id) DO NOTHING;
        UPDATE {sessions} SET revoked_at = CAST(strftime('%s', 'now') AS INTEGER)
        WHERE user_id = OLD.{id} AND revoked_at IS NULL;
    END
    """,
)
NOTE_LOGINS = """
    CREATE TRIGGER IF NOT EXISTS {sessions_added} AFTER INSERT ON {sessions}
    WHEN NEW.user_id IS NOT NULL AND instr(NEW.data, '"actor"') = 0 AND NEW.grant_id IS NULL
    BEGIN
        UPDATE {users} SET {last_login_at} = {put_login_of_new} WHERE {id} = NEW.user_id;
    END
"""
CREATE = {"postgresql": POSTGRES, "sqlite": SQLITE}
