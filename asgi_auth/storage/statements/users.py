"""Statements about users and credentials."""

# `put_roles` and the like are values in the type of the column, which may be another one in a table of the host.
ADD_USER = """
    INSERT INTO {users} ({id}, {email}, {email_canonical}, {email_verified}, {status}, {roles}, {data},
        {created_at}, {updated_at}, {access_changed_at})
    VALUES (:id, :email, :email_canonical, :email_verified, :status, {put_roles}, {put_data},
        {put_created_at}, {put_updated_at}, {put_access_changed_at})
    ON CONFLICT ({email_canonical}) DO NOTHING
    RETURNING {id} AS id
"""
ADD_USER_WITHOUT_ID = ADD_USER.replace("{id}, {email}", "{email}").replace(":id, :email", ":email")
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
        {status} = :status, {roles} = {put_roles}, {data} = {put_data}, {updated_at} = {put_updated_at},
        {access_changed_at} = COALESCE({put_access_changed_at}, {access_changed_at})
    WHERE {id} = :user_id
    RETURNING {user}
"""
# The time of users whose access has never changed is 0: they are most of the index.
CLOSED_USERS = """
    SELECT {id} AS id FROM {users}
    WHERE {access_changed_at} > {zero_as_access} AND {access_changed_at} < {before_as_access} AND {status} = 'closed'
    ORDER BY {access_changed_at} LIMIT :limit
"""
NOTE_CHANGE = """
    UPDATE {users} SET {access_changed_at} = {put_access_changed_at} WHERE {id} = :user_id RETURNING {user}
"""
LOCK_USER = "SELECT {id} FROM {users} WHERE {id} = :user_id {for_no_key_update}"
DELETE_USER = "DELETE FROM {users} WHERE {id} = :user_id RETURNING {id}"
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
STORED_CREDENTIALS = """
    SELECT kind, created_at, updated_at FROM {credentials} WHERE user_id = :user_id ORDER BY created_at
"""
