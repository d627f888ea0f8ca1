-- users
CREATE TABLE {users} (
    {id} {id_type} PRIMARY KEY,
    {email} TEXT NOT NULL,
    {email_canonical} TEXT NOT NULL UNIQUE,
    {email_verified} BOOLEAN NOT NULL,
    {status} TEXT NOT NULL,
    {roles} TEXT NOT NULL,
    {data} TEXT NOT NULL,
    {created_at} BIGINT NOT NULL,
    {updated_at} BIGINT NOT NULL,
    {access_changed_at} BIGINT NOT NULL
);

-- users
CREATE INDEX {users_access_changed} ON {users} ({access_changed_at});

CREATE TABLE {credentials} (
    id TEXT PRIMARY KEY,
    user_id {id_type} NOT NULL REFERENCES {users} ({id}) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    identifier TEXT NOT NULL,
    secret TEXT NOT NULL,
    data TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (kind, identifier)
);

CREATE INDEX {credentials_user} ON {credentials} (user_id, kind);

CREATE TABLE {sessions} (
    id TEXT PRIMARY KEY,
    user_id {id_type} REFERENCES {users} ({id}) ON DELETE SET NULL,
    generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    auth_time BIGINT NOT NULL,
    amr TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    address TEXT NOT NULL
);

CREATE INDEX {sessions_user} ON {sessions} (user_id, created_at);

CREATE INDEX {sessions_revoked} ON {sessions} (revoked_at) WHERE revoked_at IS NOT NULL;

CREATE INDEX {sessions_expires} ON {sessions} (expires_at);
