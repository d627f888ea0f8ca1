ALTER TABLE {sessions} ADD COLUMN used_generation BIGINT NOT NULL DEFAULT 0;

CREATE TABLE {installation} (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
