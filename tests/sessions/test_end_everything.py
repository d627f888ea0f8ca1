"""Ending everything, as after the restore of a backup: sessions, refresh tokens, and mailed links and codes."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from asgi_auth import AuthMiddleware, Outbox
from asgi_auth.sessions import ends
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD, SECRET, Client, bearer, login, make_auth, register, who

Fresh = Callable[[str], str]
APP = """
from asgi_auth import Auth
auth = Auth({url!r}, secret={secret!r})
"""


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_everything_that_was_given_out_is_void(
    driver: str, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "BATCH", 3)
    outbox = Outbox()
    async with make_auth(fresh(driver), mailer=outbox) as here, make_auth(fresh(driver), mailer=outbox) as there:
        for number in range(4):
            await register(here, f"user{number}@example.com")
        pairs = [await login(here, f"user{number % 4}@example.com") for number in range(8)]
        client = Client(AuthMiddleware(who, there, mount="/auth"))
        await client.post("/auth/forgot-password", {"email": "user1@example.com"})
        mail = await outbox.next("reset_password")
        assert (await client.get("/", headers=bearer(pairs[0]))).json["error"] is None

        ended = await here.end_everything()

        assert ended >= len(pairs) + 1
        assert await here.end_everything() == 0
        for pair in pairs:
            assert (await client.post("/auth/refresh", {"refresh_token": pair.refresh_token})).status == 401
        body = {"token": mail.token, "new_password": "another battery staple"}
        assert (await client.post("/auth/reset-password", body)).status == 400
        own = Client(AuthMiddleware(who, here))
        assert (await own.get("/", headers=bearer(pairs[0]))).json["error"] == "token_revoked"
        await asyncio.sleep(0.5)
        assert (await client.get("/", headers=bearer(pairs[0]))).json["error"] == "token_revoked"
        assert (await login(here, "user1@example.com")).access_token


async def test_a_restored_backup_revives_nothing_after_the_command(tmp_path: Path) -> None:
    path, outbox = tmp_path / "auth.db", Outbox()
    url = f"sqlite:///{path}"
    async with make_auth(url, mailer=outbox) as auth:
        await register(auth)
        pair = await login(auth)
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        await client.post("/auth/forgot-password", {"email": EMAIL})
        mail = await outbox.next("reset_password")
        source, target = sqlite3.connect(path), sqlite3.connect(tmp_path / "backup.db")
        source.backup(target)
        source.close()
        target.close()
        reset = {"token": mail.token, "new_password": "another battery staple"}
        assert (await client.post("/auth/reset-password", reset)).status == 204
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", path)

    assert command(tmp_path, url, "end-everything").stdout.startswith("Ended sessions and voided tokens: ")

    async with make_auth(url, mailer=outbox) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        assert (await client.get("/auth/me", headers=bearer(pair))).status == 401
        assert (await client.post("/auth/refresh", {"refresh_token": pair.refresh_token})).status == 401
        assert (await client.post("/auth/reset-password", reset)).status == 400
        assert (await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD})).status == 200


def command(folder: Path, url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command on an `Auth` in a module of its own."""
    (folder / "its_app.py").write_text(APP.format(url=url, secret=SECRET))
    paths = [str(folder), str(Path(__file__).parents[2])]
    line = [sys.executable, "-m", "asgi_auth", *arguments, "its_app:auth"]
    return subprocess.run(
        line, cwd=folder, env={"PYTHONPATH": ":".join(paths)}, capture_output=True, text=True, check=True
    )
