-- The table of users of Supabase Auth, with the columns that matter here.
CREATE SCHEMA auth;
CREATE TABLE auth.users (
    instance_id uuid,
    id uuid NOT NULL PRIMARY KEY,
    aud varchar(255),
    role varchar(255),
    email varchar(255),
    encrypted_password varchar(255),
    email_confirmed_at timestamptz,
    raw_app_meta_data jsonb,
    raw_user_meta_data jsonb,
    created_at timestamptz,
    updated_at timestamptz,
    phone text,
    banned_until timestamptz,
    deleted_at timestamptz,
    is_anonymous boolean NOT NULL DEFAULT FALSE
);
INSERT INTO auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data, created_at, phone, banned_until, deleted_at) VALUES
    ('0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5b', 'authenticated', 'authenticated', 'ada@example.com', 'HASH', '2020-01-01', '{"provider": "email"}', '{"name": "Ada"}', '2020-01-01', NULL, NULL, NULL),
    ('0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5c', 'authenticated', 'authenticated', 'bob@example.com', '', NULL, '{}', '{}', '2020-01-01', NULL, '2999-01-01', NULL),
    ('0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5d', 'authenticated', 'authenticated', 'carol@example.com', NULL, '2020-01-01', NULL, NULL, '2020-01-01', NULL, '2020-01-02', NULL),
    ('0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5e', 'authenticated', 'authenticated', NULL, NULL, NULL, '{}', '{}', '2020-01-01', '+4912345', NULL, NULL),
    ('0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5f', 'authenticated', 'authenticated', 'dead@example.com', NULL, NULL, '{}', '{}', '2020-01-01', NULL, NULL, '2020-01-02');
