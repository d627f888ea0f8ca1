CREATE TABLE {tokens} (
    id TEXT PRIMARY KEY,
    purpose TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id {id_type} REFERENCES {users} ({id}) ON DELETE CASCADE,
    digest TEXT NOT NULL UNIQUE,
    code TEXT NOT NULL,
    data TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    slot BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    UNIQUE (purpose, subject, slot)
);

CREATE INDEX {tokens_user} ON {tokens} (user_id);

CREATE INDEX {tokens_expires} ON {tokens} (expires_at);
