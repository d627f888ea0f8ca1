-- The table of users of mvp-auth.
CREATE TABLE auth_users (
    id uuid PRIMARY KEY,
    email varchar(320) NOT NULL UNIQUE,
    hashed_password text NOT NULL,
    is_active boolean NOT NULL,
    is_verified boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
INSERT INTO auth_users VALUES
    ('7d1f6c52-6a0e-4a53-8a35-6f0a9f7f3c11', 'ada@example.com', 'HASH', TRUE, TRUE, '2024-01-01', '2024-01-02'),
    ('1f0b7f3c-2f3a-4a6e-9d0c-2b6f1a7c9d22', 'Bob@example.com', 'HASH', TRUE, FALSE, '2024-01-01', '2024-01-02'),
    ('9c3e5d77-0b1a-4f7e-8e55-7a1d2c3b4e33', 'carol@example.com', 'HASH', FALSE, TRUE, '2024-01-01', '2024-01-02');
