"""PostgreSQL as the guide sets it up: three roles, pgbouncer in transaction mode, backup and restore."""

import asyncio
import os
import pwd
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from asgi_auth import Argon2, Auth, Passwords, Sessions, Settings
from asgi_auth.errors import AuthError, UserNotFoundError
from asgi_auth.storage import from_url
from asgi_auth.storage.postgres import Postgres
from tests.cluster import free_port
from tests.deploy.programs import FILES, adapted, program, running
from tests.deploy.visiting import settings_of
from tests.docs.files import DOCS, fences
from tests.postgres import Server
from tests.storage.conftest import Servers
from tests.support import EMAIL, PASSWORD, SECRET

WORD = "a-password-of-a-role"


def roles(server: Server, database: str) -> None:
    """Run the script of the roles, as an administrator does."""
    words = [part for role in ("owner", "web", "backup") for part in ("-v", f"{role}_password={WORD}")]
    script = ["-f", str(FILES / "roles.sql"), server.dsn(database)]
    subprocess.run([str(server.bin / "psql"), "-Xq", *words, *script], check=True, capture_output=True, text=True)


def url(role: str, database: str, port: int, more: str = "") -> str:
    return f"postgresql://{role}:{WORD}@127.0.0.1:{port}/{database}?schema=auth{more}"


def auth_of(storage: Postgres) -> Auth:
    settings = Settings(secret=SECRET, auto_migrate=False)
    return Auth(storage, settings=settings, features=[Passwords(argon2=Argon2.cheap()), Sessions()])


@pytest.fixture
def database(servers: Servers) -> Iterator[tuple[Server, str]]:
    """A server, and a database with the roles of the guide, whose owner has migrated."""
    server = servers.get("postgres15")
    name = server.database().rpartition("/")[2]
    roles(server, name)
    yield server, name
    server.sql(f"drop database {name} with (force)")
    server.sql("drop role app_owner, app_web, app_backup")


@contextmanager
def pgbouncer(server: Server, database: str, folder: Path, mode: str = "transaction", size: int = 2) -> Iterator[int]:
    """Run pgbouncer with the file of the guide; give its port. It refuses to run as root."""
    port = free_port()
    users = settings_of(folder, "userlist.txt", f'"app_web" "{WORD}"\n')
    changes = {
        "app = host=127.0.0.1 port=5432 dbname=app": f"app = host=127.0.0.1 port={server.port} dbname={database}",
        "listen_port = 6432": f"listen_port = {port}\nunix_socket_dir =",
        "/etc/pgbouncer/userlist.txt": str(users),
        # Fewer than the connections of the test, so that clients do share them.
        "default_pool_size = 20": f"default_pool_size = {size}",
        "pool_mode = transaction": f"pool_mode = {mode}",
    }
    file = settings_of(folder, "pgbouncer.ini", adapted("pgbouncer.ini", changes))
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    command = [program("pgbouncer"), str(file)]
    if os.geteuid() == 0:
        command[1:1] = ["-u", pwd.getpwnam("nobody").pw_name]
    with running(command, port, folder):
        yield port


def storage_of_the_guide(database_url: str, listen_url: str, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """Run the code of the guide with two variables of the environment; return its storage."""
    variables = {"AUTH_SECRET": SECRET, "AUTH_DATABASE_URL": database_url, "LISTEN_URL": listen_url}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (code,) = fences(DOCS / "guides" / "postgresql.md", "python")
    made: dict[str, Any] = {}
    exec(code, made)
    assert isinstance(made["storage"], Postgres)
    return made["storage"]


async def test_the_role_of_the_web_processes_works_through_pgbouncer_and_hears_of_revocations(
    database: tuple[Server, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, name = database
    await migrate(server, name)
    with pgbouncer(server, name, tmp_path) as port:
        shared = url("app_web", "app", port, "&pgbouncer=true")
        direct = url("app_web", name, server.port)
        first, second = (auth_of(storage_of_the_guide(shared, direct, monkeypatch)) for _ in range(2))
        async with first, second:
            await first[Passwords].register(email=EMAIL, password=PASSWORD)
            # Twenty at once over two connections: no statement may meet that of another.
            pairs = await asyncio.gather(*(first[Passwords].login(email=EMAIL, password=PASSWORD) for _ in range(20)))
            await asyncio.gather(*(first.refresh(pair.refresh_token) for pair in pairs))
            identity = await second.authenticate(pairs[-1].access_token)
            await first.users.end_sessions(identity.id)
            assert await refused_soon(second, pairs[-1].access_token)


async def refused_soon(auth: Auth, token: str) -> bool:
    """Ask until a token is refused, a thousand times at most."""
    for _ in range(1000):
        if not await accepted(auth, token):
            return True
        await asyncio.sleep(0.01)
    return False


async def accepted(auth: Auth, token: str) -> bool:
    try:
        await auth.authenticate(token)
    except AuthError:
        return False
    return True


async def migrate(server: Server, name: str) -> None:
    """Make the tables, as `asgi-auth migrate` does with the role that owns them."""
    storage = from_url(url("app_owner", name, server.port))
    await storage.migrate()
    await storage.close()


async def test_the_role_of_the_web_processes_cannot_change_tables(database: tuple[Server, str]) -> None:
    server, name = database
    await migrate(server, name)
    web = await asyncpg.connect(url("app_web", name, server.port).partition("?")[0])
    try:
        for statement in (
            "CREATE TABLE auth.mine (id int)",
            "CREATE TABLE public.mine (id int)",
            "DROP TABLE auth.auth_users",
            "TRUNCATE auth.auth_sessions",
            "ALTER TABLE auth.auth_users ADD COLUMN mine int",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await web.execute(statement)
    finally:
        await web.close()


@pytest.mark.parametrize("over", ["nothing", "newer data"])
async def test_the_commands_of_the_guide_make_a_backup_and_restore_it(
    over: str, database: tuple[Server, str], tmp_path: Path
) -> None:
    server, name = database
    await migrate(server, name)
    web = url("app_web", name, server.port)
    async with auth_of(Postgres(web)) as auth:
        await auth[Passwords].register(email=EMAIL, password=PASSWORD)
        pair = await auth[Passwords].login(email=EMAIL, password=PASSWORD)
    backup, restore = fences(DOCS / "guides" / "backup.md", "sh")[:2]
    environment = {
        "PATH": f"{server.bin}:{os.environ['PATH']}",
        "BACKUP_URL": url("app_backup", name, server.port).partition("?")[0],
        "ADMIN_URL": server.dsn(name),
        "PGOPTIONS": "-c client_min_messages=warning",
    }

    shell(backup, tmp_path, environment)
    if over == "nothing":
        server.sql("drop schema auth cascade", server.dsn(name))
    else:
        async with auth_of(Postgres(web)) as auth:
            await auth.end_everything()
            await auth[Passwords].register(email="late@example.com", password=PASSWORD)
        owner = url("app_owner", name, server.port).partition("?")[0]
        server.sql("create table auth.of_a_newer_version (id int)", owner)
        with pytest.raises(AssertionError, match="other objects depend on it"):
            shell(restore, tmp_path, environment)
        async with auth_of(Postgres(web)) as auth:
            await auth.users.by_email("late@example.com")  # nothing has changed
        server.sql("drop table auth.of_a_newer_version", owner)
    shell(restore, tmp_path, environment)

    async with auth_of(Postgres(web)) as auth:
        with pytest.raises(UserNotFoundError):
            await auth.users.by_email("late@example.com")
        assert await accepted(auth, pair.access_token)  # so sessions are ended before anything else
        await auth.end_everything()
        assert not await accepted(auth, pair.access_token)
        await auth[Passwords].login(email=EMAIL, password=PASSWORD)


def shell(commands: str, folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        ["sh", "-euc", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.findall("error", done.stderr) == []
