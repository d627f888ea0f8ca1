-- postgresql
ALTER TABLE {changes} ADD COLUMN transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id();

-- postgresql
CREATE INDEX {changes_transaction} ON {changes} (transaction_id);
