DROP INDEX {old_changes_at};

CREATE INDEX {changes_at} ON {changes} (at, number);

-- postgresql
DROP INDEX {old_changes_transaction};

-- postgresql
CREATE INDEX {changes_transaction} ON {changes} (transaction_id, number);

CREATE TABLE {heartbeat} (
    id SMALLINT PRIMARY KEY,
    beat_at DOUBLE PRECISION NOT NULL,
    proven_at DOUBLE PRECISION NOT NULL
);
