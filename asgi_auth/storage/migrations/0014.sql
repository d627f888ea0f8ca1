ALTER TABLE {sessions} ADD COLUMN grant_id TEXT;

CREATE INDEX {sessions_grant} ON {sessions} (grant_id) WHERE grant_id IS NOT NULL;

-- sqlite
DROP TRIGGER IF EXISTS {sessions_added};
