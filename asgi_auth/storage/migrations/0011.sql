ALTER TABLE {sessions} ADD COLUMN data TEXT NOT NULL DEFAULT '{{}}';

ALTER TABLE {credentials} ADD COLUMN used_at BIGINT;

ALTER TABLE {audit} ADD COLUMN actor TEXT;

CREATE INDEX {credentials_kind} ON {credentials} (kind, id);

-- users
CREATE INDEX {users_created} ON {users} ({created_at}, {id});

-- users
CREATE INDEX {users_prefix} ON {users} ({email_canonical} {bytewise});
