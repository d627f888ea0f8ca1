ALTER TABLE {tokens} ADD COLUMN asker TEXT NOT NULL DEFAULT '';

ALTER TABLE {tokens} ADD COLUMN password_attempts BIGINT NOT NULL DEFAULT 0;

CREATE INDEX {tokens_subject} ON {tokens} (subject);

UPDATE {tokens} SET data = '{{}}' WHERE used_at IS NOT NULL;
