"""A database that refuses the server, under real servers: the start fails aloud, with the line that says what to do."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from tests.hosts.servers import COMMANDS, ROOT, free_port, ready
from tests.storage.conftest import Servers
from tests.support import SECRET

ROLE = "CREATE ROLE newcomer LOGIN PASSWORD 'x'; REVOKE CREATE ON SCHEMA public FROM PUBLIC"


def run(server: str, port: int, url: str, record: Path) -> "subprocess.Popen[str]":
    """Start the host under a server."""
    command = [part.format(target="tests.hosts.refused_app:app", port=port) for part in COMMANDS[server]]
    environment = {"AUTH_DATABASE_URL": url, "AUTH_SECRET": SECRET, "TESTED_RECORD": str(record)}
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("server", COMMANDS)
async def test_a_role_that_may_not_create_tables_fails_the_start_and_is_told_the_grant(
    server: str, servers: Servers, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    url, record = fresh("postgres15"), tmp_path / "record"
    await asyncio.to_thread(servers.get("postgres15").sql, ROLE, url)
    newcomer = url.replace("//postgres:secret@", "//newcomer:x@")
    try:
        process = run(server, free_port(), newcomer, record)
        try:
            output, _ = await asyncio.to_thread(process.communicate, timeout=60)
        finally:
            process.kill()
    finally:
        await asyncio.to_thread(servers.get("postgres15").sql, "DROP ROLE newcomer", url)

    assert "GRANT USAGE, CREATE ON SCHEMA public" in output
    assert process.returncode != 0
    assert record.read_text().split() == ["startup", "shutdown"]


@pytest.mark.parametrize("server", COMMANDS)
async def test_a_database_that_is_away_lets_the_server_start(server: str, tmp_path: Path) -> None:
    record, port, away = tmp_path / "record", free_port(), free_port()
    process = run(server, port, f"postgresql://app:x@127.0.0.1:{away}/app", record)
    try:
        await ready(process, port)
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            page = await client.get("/")
            refused = await client.post("/auth/login", json={"email": "a@example.com", "password": "correct horse"})
    finally:
        process.terminate()
        output, _ = await asyncio.to_thread(process.communicate, timeout=30)

    assert (page.status_code, refused.status_code) == (200, 503)
    assert output.count("runs without its database") == 1
    assert record.read_text().split() == ["startup", "shutdown"]
