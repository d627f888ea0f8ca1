-- Three roles: one that migrates, one that the web processes use, and one for backups. An administrator runs this once:
-- psql -v owner_password=… -v web_password=… -v backup_password=… -f roles.sql app

\set ON_ERROR_STOP on
BEGIN;

-- Owns the tables. Only `asgi-auth migrate` uses it.
CREATE ROLE app_owner LOGIN PASSWORD :'owner_password';
-- Reads and writes rows, and nothing else: it can neither change tables nor empty them with TRUNCATE.
CREATE ROLE app_web LOGIN PASSWORD :'web_password';
-- Reads everything, for pg_dump.
CREATE ROLE app_backup LOGIN PASSWORD :'backup_password';
GRANT pg_read_all_data TO app_backup;

REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"DBNAME" TO app_owner, app_web, app_backup;

CREATE SCHEMA auth AUTHORIZATION app_owner;
GRANT USAGE ON SCHEMA auth TO app_web;
-- For tables that later migrations add, too.
ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA auth
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO app_web;
ALTER DEFAULT PRIVILEGES FOR ROLE app_owner IN SCHEMA auth
    GRANT USAGE ON SEQUENCES TO app_web;

COMMIT;
