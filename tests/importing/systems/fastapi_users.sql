BEGIN TRANSACTION;
CREATE TABLE user (
	city VARCHAR, 
	id CHAR(36) NOT NULL, 
	email VARCHAR(320) NOT NULL, 
	hashed_password VARCHAR(1024) NOT NULL, 
	is_active BOOLEAN NOT NULL, 
	is_superuser BOOLEAN NOT NULL, 
	is_verified BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "user" VALUES('London','b0be006c-4485-47cd-acdf-1074557fa0d9','ada@example.com','$argon2id$v=19$m=65536,t=3,p=4$CoLI8d2yoBQ930m0GAhHbw$y/97IwUgldCeKB7dCsGPUYOsiWEFFYEkKxdURArwgv8',1,1,1);
INSERT INTO "user" VALUES(NULL,'294a59dc-bbff-44d5-adca-34369d5cf51b','Bob@example.com','$2b$06$sE1L.SaRCRw9DqOgj3SdXuA7l.6bhazSaUBqk9iObhPis8KWBQ/XC',1,0,0);
INSERT INTO "user" VALUES(NULL,'9738caf2-238e-4cc7-ad76-e9ad7ffac2b9','carol@example.com','$argon2id$v=19$m=65536,t=3,p=4$wxkC2MtljYG/Cesn4EAfeA$OBlPJWwCfPedqNUJfrdmHsORtD7YVUOCQC8AKwbYbuw',0,0,0);
CREATE UNIQUE INDEX ix_user_email ON user (email);
COMMIT;
