"""Statements about users."""

from collections.abc import Iterable

# `put_roles` and the like are values in the type of the column, which may be another one in a table of the host.
ADD_USER = """
    INSERT INTO {users} ({id}, {email}, {email_canonical}, {email_verified}, {status}, {roles}, {data},
        {created_at}, {updated_at}, {access_changed_at}{login_column}{field_columns})
    VALUES (:id, :email, :email_canonical, :email_verified, {put_status}, {put_roles}, {put_data},
        {put_created_at}, {put_updated_at}, {put_access_changed_at}{login_value}{field_values})
    ON CONFLICT ({email_canonical}) DO NOTHING
    RETURNING {id} AS id
"""
ADD_USER_WITHOUT_ID = ADD_USER.replace("{id}, {email}", "{email}").replace(":id, :email", ":email")


def with_fields(statement: str, names: Iterable[str]) -> str:
    """Return an INSERT with further fields. The columns that it leaves out are filled by the database, and read."""
    for name in names:
        statement = statement.replace("{field_columns}", f"{{field_columns}}{{field_column_{name}}}")
        statement = statement.replace("{field_values}", f"{{field_values}}{{field_value_{name}}}")
    return statement.replace("RETURNING {id} AS id", "RETURNING {user}")


USER = "SELECT {user} FROM {users} WHERE {id} = :user_id"
USER_TO_CHANGE = "SELECT {user} FROM {users} WHERE {id} = :user_id {for_update}"
# A weaker lock: rows that refer to the user, such as audit records, are written meanwhile.
USER_TO_LOCK = "SELECT {user} FROM {users} WHERE {id} = :user_id {for_no_key_update}"
USER_BY_EMAIL = "SELECT {user} FROM {users} WHERE {email_canonical} = :canonical"
UPDATE_USER = """
    UPDATE {users} SET {email} = :email, {email_canonical} = :email_canonical, {email_verified} = :email_verified,
        {status} = {put_status}, {roles} = {put_roles}, {data} = {put_data}, {updated_at} = {put_updated_at},
        {access_changed_at} = COALESCE({put_access_changed_at}, {access_changed_at}){field_changes}
    WHERE {id} = :user_id
    RETURNING {user}
"""
# The time of users whose access has never changed is 0: they are most of the index.
CLOSED_USERS = """
    SELECT {id} AS id FROM {users}
    WHERE {access_changed_at} > {zero_as_access} AND {access_changed_at} < {before_as_access}
        AND {read_status} = 'closed'
    ORDER BY {access_changed_at} LIMIT :limit
"""
NOTE_CHANGE = """
    UPDATE {users} SET {access_changed_at} = {put_access_changed_at} WHERE {id} = :user_id RETURNING {user}
"""
LOCK_USER = "SELECT {id} FROM {users} WHERE {id} = :user_id {for_no_key_update}"
DELETE_USER = "DELETE FROM {users} WHERE {id} = :user_id RETURNING {id}"
USERS_TO_UNBAN = """
    SELECT {user} FROM {users}
    WHERE {access_changed_at} > {zero_as_access} AND {read_status} = 'disabled'
        AND {read_ban_end} <= CAST(:now AS BIGINT)
    ORDER BY {access_changed_at} LIMIT :limit
"""
# A role stands in quotes in the JSON array of the roles.
# Pages of users by the time of their creation: the next page follows the time and the id of the last user.
USERS = """
    SELECT {user} FROM {users}
    WHERE ({read_created_at}, {id}) > (CAST(:at AS BIGINT), CAST(:user_id AS {id_type}))
        AND (CAST(:status AS TEXT) IS NULL OR {read_status} = :status)
        AND (CAST(:role AS TEXT) IS NULL OR {find}({read_roles}, :role) > 0)
    ORDER BY {read_created_at}, {id} LIMIT :limit
"""
NEWEST_USERS = USERS.replace(") > (", ") < (").replace(
    "ORDER BY {read_created_at}, {id}", "ORDER BY {read_created_at} DESC, {id} DESC"
)
# Pages of users whose canonical addresses begin with a text, by address: from the text, or from the last user on. There
# is one bound below, because SQLite searches its index by the first one that it finds.
USERS_BY_PREFIX = """
    SELECT {user} FROM {users}
    WHERE {email_canonical} {bytewise} >= :first AND {email_canonical} {bytewise} < :end
        AND {email_canonical} <> :after
        AND (CAST(:status AS TEXT) IS NULL OR {read_status} = :status)
        AND (CAST(:role AS TEXT) IS NULL OR {find}({read_roles}, :role) > 0)
    ORDER BY {email_canonical} {bytewise} LIMIT :limit
"""
# The same without an order and a limit. The index of the times starts at the first of all users.
COUNT_USERS = USERS.replace("SELECT {user}", "SELECT COUNT(*) AS count").partition("ORDER BY")[0]
COUNT_USERS_BY_PREFIX = USERS_BY_PREFIX.replace("SELECT {user}", "SELECT COUNT(*) AS count").partition("ORDER BY")[0]
# The items of a JSON array as an array of PostgreSQL.
ARRAY_OF = """CASE WHEN jsonb_typeof({value}) = 'array' THEN
    ARRAY(SELECT {item} FROM jsonb_array_elements_text({value}) AS item) END"""
