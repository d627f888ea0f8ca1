"""The users table of pg_simple_auth, exactly as that library makes it, and the steps of the guide that moves it."""

import re
from collections.abc import Callable
from pathlib import Path

import argon2
import pytest

from asgi_auth import AuthMiddleware
from asgi_auth.errors import StorageSetupError
from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from tests.storage.conftest import Servers
from tests.support import PASSWORD, Client, bearer, make_auth, who

Fresh = Callable[[str], str]
ROOT = Path(__file__).parent.parent.parent
NAMES = Names(users="users", own_users_table=True, user_columns={"email_verified": "verified"})
#: What pg_simple_auth 0.1.4 runs when it starts.
MADE = (
    "CREATE TABLE IF NOT EXISTS users (id SERIAL PRIMARY KEY)",
    *(
        f"ALTER TABLE users ADD COLUMN {column}"
        for column in (
            "reset_token VARCHAR(255)",
            "reset_token_expires TIMESTAMP WITH TIME ZONE",
            "verification_token VARCHAR(255)",
            "verification_token_expires TIMESTAMP WITH TIME ZONE",
            "verified BOOLEAN DEFAULT FALSE",
            "failed_login_attempts INT DEFAULT 0",
            "last_failed_login TIMESTAMP WITH TIME ZONE",
            "email VARCHAR(255)",
            "password_hash VARCHAR(255)",
            "created_at TIMESTAMP WITH TIME ZONE DEFAULT CURRENT_TIMESTAMP",
            "oauth_provider VARCHAR(50)",
            "oauth_id VARCHAR(255)",
        )
    ),
)
COLUMNS = """
    SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position)
    FROM information_schema.columns WHERE table_name = 'users'
"""
LEFT = """
    SELECT string_agg(email || failed_login_attempts || COALESCE(oauth_id, ''), ',' ORDER BY id) FROM users WHERE id < 4
"""


def of_the_guide() -> list[str]:
    """The statements of the guide, in order."""
    text = (ROOT / "docs" / "guides" / "moving-from" / "pg-simple-auth.md").read_text("utf-8")
    section = text.partition("## Keep your table\n")[2].partition("\n## ")[0]
    return re.findall(r"```sql\n(.*?)```", section, re.DOTALL)


@pytest.mark.parametrize("driver", ["postgres15", "postgres18"])
async def test_users_of_pg_simple_auth_log_in_and_their_table_stays_theirs(
    driver: str, servers: Servers, fresh: Fresh
) -> None:
    url, server = fresh(driver), servers.get(driver)
    # passlib's hashes: Argon2id in the PHC format, with four lanes.
    hashed = argon2.PasswordHasher(memory_cost=8192, time_cost=2, parallelism=4).hash(PASSWORD)
    for statement in MADE:
        server.sql(statement, url)
    server.sql(f"INSERT INTO users (email, password_hash) VALUES ('Ada@example.com', '{hashed}')", url)
    server.sql(f"INSERT INTO users (email, password_hash, verified) VALUES ('eve@example.com', '{hashed}', TRUE)", url)
    server.sql("INSERT INTO users (email, oauth_provider, oauth_id) VALUES ('bob@example.com', 'google', '7')", url)
    left = server.sql(LEFT, url)
    auth = make_auth(Postgres(url, names=NAMES), verification="off")
    with pytest.raises(
        StorageSetupError,
        match=r"users has no column email_canonical: ALTER TABLE users ADD COLUMN.* another name is named by Names",
    ):
        await auth.start()

    columns, passwords, trigger = of_the_guide()
    server.sql(columns, url)
    before = server.sql(COLUMNS, url)
    async with auth:
        server.sql(passwords, url)
        server.sql(passwords, url)
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        pairs = [
            (await client.post("/auth/login", {"email": f"{name}@example.com", "password": PASSWORD}))
            for name in ("ada", "EVE", "bob")
        ]
        me = (await client.get("/auth/me", headers=bearer(pairs[1].json["access_token"]))).json
        new = await client.post("/auth/register", {"email": "new@example.com", "password": PASSWORD})
        ada = await auth.users.by_email("ada@example.com")
        credential = await auth.storage.credential(ada.id, "password")
        await auth.users.set_roles(ada.id, ["admin"])
        await auth.users.set_data(ada.id)

        assert [pair.status for pair in pairs] == [200, 200, 401]
        assert (me["id"], me["email"], me["email_verified"], me["roles"], me["data"]) == (
            "2", "eve@example.com", True, [], {},
        )  # fmt: skip
        assert (ada.id, ada.email, ada.email_verified, ada.status) == ("1", "Ada@example.com", False, "active")
        assert abs(ada.created_at - auth.now()) < 120
        assert (new.status, new.json["user"]["id"]) == (201, "4")
        assert credential is not None
        assert credential.secret != hashed

    assert (server.sql(COLUMNS, url), server.sql(LEFT, url)) == (before, left)
    # The old app goes on beside the new one.
    server.sql(trigger, url)
    server.sql(f"INSERT INTO users (email, password_hash) VALUES ('old@example.com', '{hashed}')", url)
    row = server.sql("SELECT email_canonical, verified, roles FROM users WHERE email = 'old@example.com'", url)
    assert row == "old@example.com|f|{}"
