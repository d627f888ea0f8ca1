CREATE TABLE {audit} (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT NOT NULL,
    at BIGINT NOT NULL,
    user_id {id_type},
    session TEXT,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    request_id TEXT NOT NULL,
    data TEXT NOT NULL
);

CREATE INDEX {audit_user} ON {audit} (user_id, id);

CREATE INDEX {audit_at} ON {audit} (at);

CREATE TABLE {devices} (
    user_id {id_type} NOT NULL REFERENCES {users} ({id}) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, digest)
);
