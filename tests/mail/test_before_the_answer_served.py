"""What is done before the answer and what after it, under a real server with all limits on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from asgi_auth.storage.sql import SQLStorage
from tests.cluster import server
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD, make_auth

Fresh = Callable[[str], str]


@dataclass
class Served:
    """A server, a client of it, the folder of its mails, and its database."""

    url: str
    client: httpx2.AsyncClient
    folder: Path
    storage: SQLStorage

    async def post(self, path: str, **body: str) -> httpx2.Response:
        return await self.client.post(f"{self.url}/auth/{path}", json={"email": EMAIL, **body})

    def mails(self, name: str) -> list[str]:
        """The purposes of the mails that have `begun`, or were `sent`."""
        path = self.folder / name
        return [line.split()[0] for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    async def sent(self, *purposes: str) -> None:
        """Wait until these mails are sent."""
        async with asyncio.timeout(30):
            while self.mails("sent") != [*purposes]:  # noqa: ASYNC110 (another process writes the file)
                await asyncio.sleep(0.02)

    async def failures(self) -> int:
        """Return the number of stored records of failed logins."""
        sql = "SELECT COUNT(*) AS n FROM {audit} WHERE name = 'login' AND outcome = 'failure'"
        (row,) = await self.storage.run(sql, {}, read=True)
        return int(row["n"])


@asynccontextmanager
async def served(database_url: str, folder: Path, **environment: str) -> AsyncIterator[Served]:
    """Run the server, and register an account."""
    (folder / "go").touch()
    with server("tests.guarded_worker", database_url, {"MAILS": str(folder), **environment}) as url:
        async with httpx2.AsyncClient(timeout=60) as client, make_auth(database_url, features=None) as auth:
            await auth.start()
            assert isinstance(auth.storage, SQLStorage)
            made = Served(url, client, folder, auth.storage)
            assert (await made.post("register", password=PASSWORD)).status_code == 201
            yield made


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_mails_are_sent_and_records_stored_before_each_answer(driver: str, fresh: Fresh, tmp_path: Path) -> None:
    async with served(fresh(driver), tmp_path, ANSWER_FIRST="0", MAIL_SECONDS="0.5") as made:
        assert made.mails("sent") == ["verify_email"]
        assert (await made.post("forgot-password")).status_code == 202
        assert made.mails("sent") == ["verify_email", "reset_password"]

        for number in range(1, 11):
            assert (await made.post("login", password="not the right one")).status_code == 401
            assert await made.failures() == number
        refused = await made.post("login", password=PASSWORD)

        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert await made.failures() == 10


async def test_by_default_no_answer_waits_for_a_mail(fresh: Fresh, tmp_path: Path) -> None:
    async with served(fresh("sqlite"), tmp_path, ANSWER_FIRST="1") as made:
        await made.sent("verify_email")
        (tmp_path / "go").unlink()

        assert (await made.post("forgot-password")).status_code == 202

        assert made.mails("sent") == ["verify_email"]
        (tmp_path / "go").touch()
        await made.sent("verify_email", "reset_password")
