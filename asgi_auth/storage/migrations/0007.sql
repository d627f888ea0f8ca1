CREATE TABLE {networks} (
    digest TEXT PRIMARY KEY,
    user_id {id_type} NOT NULL REFERENCES {users} ({id}) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL
);

CREATE INDEX {networks_user} ON {networks} (user_id, expires_at);

CREATE INDEX {networks_expires} ON {networks} (expires_at);
