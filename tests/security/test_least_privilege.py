"""PostgreSQL with a role that may do no more than it needs (ASVS 13.2.2). The statements are those of the docs."""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from tests.postgres import Server
from tests.storage.conftest import SERVERS, Servers
from tests.support import EMAIL, PASSWORD, Client, bearer, login, make_auth, register, who
from tests.web.test_lifespan import PEOPLE

DOCS = Path(__file__).parents[2] / "docs" / "guides" / "database.md"
#: The blocks of SQL in the docs, in order.
ROWS_ONLY, MIGRATES, WITH_OWN_TABLE = re.findall(r"```sql\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
ROLE = "CREATE ROLE app LOGIN PASSWORD 'x'; REVOKE CREATE ON SCHEMA public FROM PUBLIC;"
Fresh = Callable[[str], str]


@asynccontextmanager
async def role(server: Server, url: str) -> AsyncIterator[str]:
    """Give the URL of a role that may nothing, and delete the role afterwards."""
    await asyncio.to_thread(server.sql, ROLE, url)
    try:
        yield url.replace("//postgres:secret@", "//app:x@")
    finally:
        await asyncio.to_thread(server.sql, "DROP OWNED BY app CASCADE; DROP ROLE app", url)


@pytest.mark.parametrize("driver", SERVERS)
@pytest.mark.parametrize("auto_migrate", [True, False])
async def test_rows_are_all_that_it_needs_once_the_tables_are_there(
    *, auto_migrate: bool, driver: str, servers: Servers, fresh: Fresh
) -> None:
    owner, server = fresh(driver), servers.get(driver)
    async with make_auth(owner) as auth:
        await register(auth, "owner@example.com")
    async with role(server, owner) as url:
        await asyncio.to_thread(server.sql, ROWS_ONLY, owner)
        here, there = (make_auth(url, auto_migrate=auto_migrate) for _ in range(2))
        async with here, there:
            await the_main_job(here, there)
        with pytest.raises(subprocess.CalledProcessError):
            await asyncio.to_thread(server.sql, "CREATE TABLE more (id TEXT)", url)


@pytest.mark.parametrize("driver", SERVERS)
async def test_a_role_that_migrates_needs_the_schema_only(driver: str, servers: Servers, fresh: Fresh) -> None:
    owner, server = fresh(driver), servers.get(driver)
    async with role(server, owner) as url:
        await asyncio.to_thread(server.sql, MIGRATES, owner)
        async with make_auth(url) as here, make_auth(url) as there:
            await the_main_job(here, there)


@pytest.mark.parametrize("driver", SERVERS)
async def test_a_role_that_migrates_beside_the_hosts_users_table(driver: str, servers: Servers, fresh: Fresh) -> None:
    owner, server, names = fresh(driver), servers.get(driver), Names(users="people", own_users_table=True)
    await asyncio.to_thread(server.sql, PEOPLE, owner)
    async with role(server, owner) as url:
        await asyncio.to_thread(server.sql, MIGRATES + WITH_OWN_TABLE, owner)
        async with make_auth(Postgres(url, names=names)) as here, make_auth(Postgres(url, names=names)) as there:
            await the_main_job(here, there)


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
