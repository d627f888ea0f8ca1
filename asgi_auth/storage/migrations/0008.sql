ALTER TABLE {audit} ADD COLUMN count BIGINT NOT NULL DEFAULT 1;

CREATE INDEX {audit_nobody} ON {audit} (at) WHERE user_id IS NULL;
