"""Fills a database of PostgreSQL with users of pg_simple_auth, by its own code: `python make_pg_simple_auth.py DSN`.

`pg_dump --inserts --no-owner` of that database is `pg_simple_auth.sql`.
"""

import asyncio
import sys

import asyncpg
import pg_simple_auth

PASSWORD = "Correct horse battery 1!"


async def main(dsn: str) -> None:
    """Sign users up."""
    async with asyncpg.create_pool(dsn) as pool:
        await pg_simple_auth.initialize(pool, "x" * 40, "users")
        ada = await pg_simple_auth.signup("ada@example.com", PASSWORD)
        await pg_simple_auth.signup("Bob@Example.com", PASSWORD)
        await pg_simple_auth.signup_oauth("github", "17", email="carol@example.com")
        # Its `verify` compares a time without a zone to one with a zone, and fails on newer drivers.
        await pool.execute("UPDATE users SET verified = TRUE, verification_token = NULL WHERE id = $1", ada["id"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
