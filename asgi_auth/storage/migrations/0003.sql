CREATE TABLE {counters} (
    key TEXT PRIMARY KEY,
    count BIGINT NOT NULL,
    free_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX {counters_expires} ON {counters} (expires_at);
