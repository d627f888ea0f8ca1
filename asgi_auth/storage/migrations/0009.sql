CREATE TABLE {changes} (
    number {counted_key},
    session_id TEXT UNIQUE,
    user_id {id_type},
    at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX {changes_at} ON {changes} (at);

CREATE INDEX {changes_expires} ON {changes} (expires_at);

INSERT INTO {changes} (session_id, at, expires_at)
SELECT id, revoked_at, expires_at FROM {sessions}
WHERE revoked_at >= (SELECT MAX(revoked_at) FROM {sessions}) - 86400;

INSERT INTO {changes} (user_id, at, expires_at)
SELECT {id}, {read_access_changed_at}, {read_access_changed_at} + 2592000 FROM {users}
WHERE {read_access_changed_at} >= (SELECT MAX({read_access_changed_at}) FROM {users}) - 86400
    AND {read_access_changed_at} > 0;
