-- The table of users of Authly, with the columns that matter here.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    username varchar(50) NOT NULL UNIQUE,
    email varchar(255) NOT NULL UNIQUE,
    password_hash varchar(255) NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    last_login timestamptz,
    is_active boolean NOT NULL,
    is_verified boolean NOT NULL,
    is_admin boolean NOT NULL
);
INSERT INTO users VALUES
    ('7d1f6c52-6a0e-4a53-8a35-6f0a9f7f3c11', 'ada', 'ada@example.com', 'HASH', '2024-01-01', '2024-01-02', '2024-02-01', TRUE, TRUE, TRUE),
    ('1f0b7f3c-2f3a-4a6e-9d0c-2b6f1a7c9d22', 'bob', 'bob@example.com', 'HASH', '2024-01-01', '2024-01-02', NULL, TRUE, FALSE, FALSE),
    ('9c3e5d77-0b1a-4f7e-8e55-7a1d2c3b4e33', 'carol', 'carol@example.com', 'HASH', '2024-01-01', '2024-01-02', NULL, FALSE, TRUE, FALSE);
