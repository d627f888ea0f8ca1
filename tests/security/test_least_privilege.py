"""PostgreSQL with a role that may read and write rows and nothing else (ASVS 13.2.2)."""

import asyncio
import subprocess
from collections.abc import Callable

import pytest

from asgi_auth import Auth, AuthMiddleware
from tests.storage.conftest import SERVERS, Servers
from tests.support import EMAIL, PASSWORD, Client, bearer, login, make_auth, register, who

GRANTS = """
CREATE ROLE auth_runtime LOGIN PASSWORD 'runtime';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO auth_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO auth_runtime;
"""


@pytest.mark.parametrize("driver", SERVERS)
async def test_rows_are_all_that_it_needs_once_the_tables_are_there(
    driver: str, servers: Servers, fresh: Callable[[str], str]
) -> None:
    owner, server = fresh(driver), servers.get(driver)
    async with make_auth(owner) as auth:
        await register(auth, "owner@example.com")
    await asyncio.to_thread(server.sql, GRANTS, owner)
    url = owner.replace("//postgres:secret@", "//auth_runtime:runtime@")
    try:
        async with make_auth(url, auto_migrate=False) as here, make_auth(url, auto_migrate=False) as there:
            await the_main_job(here, there)
        with pytest.raises(subprocess.CalledProcessError):
            await asyncio.to_thread(server.sql, "CREATE TABLE more (id TEXT)", url)
    finally:
        await asyncio.to_thread(server.sql, "DROP OWNED BY auth_runtime", owner)
        await asyncio.to_thread(server.sql, "DROP ROLE auth_runtime", owner)


async def the_main_job(here: Auth, there: Auth) -> None:
    await register(here)
    client = Client(AuthMiddleware(who, there, mount="/auth"))
    pair = await login(here)
    assert (await client.get("/auth/me", headers=bearer(pair))).json["email"] == EMAIL
    second = (await client.post("/auth/refresh", {"refresh_token": pair.refresh_token})).json
    body = {"current_password": PASSWORD, "new_password": "another battery staple"}
    headers = bearer(second["access_token"])
    assert (await client.post("/auth/change-password", body, headers=headers)).status == 204
    assert (await client.post("/auth/logout", headers=headers)).status == 204
    assert await here.storage.purge(2**40, 100) == 1
    await here.users.delete((await here.users.by_email(EMAIL)).id)
