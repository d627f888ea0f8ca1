-- The core schema of Better Auth as its documentation has it, with the columns of the admin plugin.
CREATE TABLE "user" (
    id text NOT NULL PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL UNIQUE,
    "emailVerified" boolean NOT NULL,
    image text,
    "createdAt" timestamp NOT NULL,
    "updatedAt" timestamp NOT NULL,
    role text,
    banned boolean
);
CREATE TABLE account (
    id text NOT NULL PRIMARY KEY,
    "accountId" text NOT NULL,
    "providerId" text NOT NULL,
    "userId" text NOT NULL REFERENCES "user" (id),
    "accessToken" text,
    password text,
    "createdAt" timestamp NOT NULL,
    "updatedAt" timestamp NOT NULL
);
INSERT INTO "user" VALUES
    ('5f7pXbQ2mJkLrTnWvYzAaCdEfGhIjKlM', 'Ada, "the" first', 'ada@example.com', TRUE, NULL, '2020-01-01 00:00:00', '2020-01-01 00:00:00', 'admin', FALSE),
    ('6g8qYcR3nKlMsUoXwZaBbDeFgHiJkLmN', 'Bob', 'bob@example.com', FALSE, NULL, '2020-01-01 00:00:00', '2020-01-01 00:00:00', NULL, TRUE),
    ('7h9rZdS4oLmNtVpYxAbCcEfGhIjKlMnO', 'Carol', 'carol@example.com', TRUE, NULL, '2020-01-01 00:00:00', '2020-01-01 00:00:00', 'user', NULL);
INSERT INTO account VALUES
    ('1', '5f7pXbQ2mJkLrTnWvYzAaCdEfGhIjKlM', 'credential', '5f7pXbQ2mJkLrTnWvYzAaCdEfGhIjKlM', NULL, 'HASH', '2020-01-01 00:00:00', '2020-01-01 00:00:00'),
    ('2', '17', 'github', '5f7pXbQ2mJkLrTnWvYzAaCdEfGhIjKlM', 'secret', NULL, '2020-01-01 00:00:00', '2020-01-01 00:00:00'),
    ('3', '18', 'github', '7h9rZdS4oLmNtVpYxAbCcEfGhIjKlMnO', 'secret', NULL, '2020-01-01 00:00:00', '2020-01-01 00:00:00');
