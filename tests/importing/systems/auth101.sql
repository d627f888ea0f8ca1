BEGIN TRANSACTION;
CREATE TABLE account (
	id VARCHAR(36) NOT NULL, 
	account_id VARCHAR(255) NOT NULL, 
	provider_id VARCHAR(64) NOT NULL, 
	user_id VARCHAR(36) NOT NULL, 
	password VARCHAR(255), 
	access_token TEXT, 
	refresh_token TEXT, 
	id_token TEXT, 
	access_token_expires_at DATETIME, 
	refresh_token_expires_at DATETIME, 
	scope VARCHAR(512), 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "account" VALUES('e160b96b-b78a-41ac-a136-0f4502f66f6e','ada@example.com','credential','9ebf0647-6579-43aa-a520-42be93c77f60','$argon2id$v=19$m=65536,t=3,p=4$yDkHwDjHGCMEACAkZOyd0w$UPlcbKtkCWf37hNA7kHFNN6Oi1FmuVQsFcDJ8BaekiA',NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-28 19:16:50.113835','2026-11-28 19:16:50.113835');
INSERT INTO "account" VALUES('54132b2c-6eed-45f9-a881-0aa7bdc8ffaa','bob@example.com','credential','3db97ae6-39a2-46fc-b78a-fcf7f1dca376','$argon2id$v=19$m=65536,t=3,p=4$YiylFELoPQeA0Npby5kzBg$GfgTNJ6DNPNqQ17RjU0/pUkFW5dcKWMTeNTGu5nEhq8',NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-28 19:16:50.726990','2026-11-28 19:16:50.726990');
CREATE TABLE session (
	id VARCHAR(36) NOT NULL, 
	token VARCHAR(36) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	user_id VARCHAR(36) NOT NULL, 
	ip_address VARCHAR(45), 
	user_agent VARCHAR(512), 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "session" VALUES('ace13f89-b87f-4b9e-b62f-4bf45016bb04','e80681b9-d3e6-4951-a92d-71286516dcf9','2026-12-05 19:16:50.656869','9ebf0647-6579-43aa-a520-42be93c77f60',NULL,NULL,'2026-11-28 19:16:50.656914','2026-11-28 19:16:50.656914');
INSERT INTO "session" VALUES('7e0c70cb-4ac1-42e1-9bbd-3cfa46a39f9a','b55da8b8-1e14-486e-a4d0-d6d68df4188c','2026-12-05 19:16:51.326972','3db97ae6-39a2-46fc-b78a-fcf7f1dca376',NULL,NULL,'2026-11-28 19:16:51.327004','2026-11-28 19:16:51.327004');
CREATE TABLE users (
	id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	email VARCHAR(255) NOT NULL, 
	email_verified BOOLEAN NOT NULL, 
	image VARCHAR(512), 
	is_active BOOLEAN NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "users" VALUES('9ebf0647-6579-43aa-a520-42be93c77f60','','ada@example.com',0,'',1,'2026-11-28 19:16:50.113835','2026-11-28 19:16:50.113835');
INSERT INTO "users" VALUES('3db97ae6-39a2-46fc-b78a-fcf7f1dca376','','bob@example.com',0,'',1,'2026-11-28 19:16:50.726990','2026-11-28 19:16:50.726990');
CREATE TABLE verification (
	id VARCHAR(36) NOT NULL, 
	identifier VARCHAR(255) NOT NULL, 
	value VARCHAR(255) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	created_at DATETIME, 
	updated_at DATETIME, 
	PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE UNIQUE INDEX ix_session_token ON session (token);
CREATE INDEX ix_session_user_id ON session (user_id);
CREATE INDEX ix_account_account_id ON account (account_id);
CREATE INDEX ix_account_user_id ON account (user_id);
CREATE INDEX ix_account_provider_id ON account (provider_id);
CREATE INDEX ix_verification_value ON verification (value);
CREATE INDEX ix_verification_identifier ON verification (identifier);
COMMIT;
