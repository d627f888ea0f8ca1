"""The databases of the soak, with their worker processes, and the trouble that each gets."""

import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from tests.cluster import await_answer, free_port
from tests.deploy.programs import ROOT
from tests.ha.routes import Route
from tests.postgres import Server
from tests.support import SECRET

#: Seconds between two troubles.
PAUSES = (8, 30)
#: Short lives and small caches, so that each reaches its bound within minutes.
SETTINGS = {"AUTH_ACCESS_TTL": "60", "AUTH_LEEWAY": "5", "AUTH_TOKEN_CACHE": "256", "AUTH_PURGE_INTERVAL": "60"}
#: Connections of a worker: the pool and the listener.
CONNECTIONS = 11
Rows = tuple[list[str], Mapping[str, Mapping[str, Any]]]


class Database(Protocol):
    """A database with worker processes."""

    name: ClassVar[str]
    kills_workers: ClassVar[bool]
    most_connections: int
    kills: int
    route: Route

    def up(self) -> None:
        """Start everything."""

    async def trouble(self) -> None:
        """Make trouble until cancelled."""

    def mend(self) -> None:
        """Start what was killed."""

    def sample(self) -> dict[str, int]:
        """Measure a worker that is never killed; empty if it does not answer now."""

    async def rows(self) -> Rows:
        """Return the addresses of all users, and the sessions by their id."""

    def damage(self) -> list[str]:
        """Look at the database itself."""

    def close(self) -> None:
        """Stop everything."""


class Workers:
    """Worker processes of `tests.ha.app`. They die with this process."""

    def __init__(self, url: str, processes: int, folder: Path, name: str) -> None:
        """Choose the ports."""
        self.ports = [free_port() for _ in range(processes)]
        self.route = Route(name, name, url, 0, processes=processes, addresses=tuple(map(self.url, self.ports)))
        self._environment = {**os.environ, **SETTINGS, "AUTH_DATABASE_URL": url, "AUTH_SECRET": SECRET}
        self._environment |= {"AUTH_TRUSTED_PROXIES": "127.0.0.1", "PYTHONPATH": str(ROOT)}
        self._log = folder / f"{name}-workers.log"
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @staticmethod
    def url(port: int) -> str:
        return f"http://127.0.0.1:{port}"

    def up(self) -> None:
        """Make the tables, and start all processes."""
        subprocess.run([sys.executable, "-m", "asgi_auth", "migrate"], check=True, env=self._environment)
        for number in range(len(self.ports)):
            self.start(number)

    def start(self, number: int) -> None:
        """Start a process, and wait until it answers."""
        options = [
            "--port",
            str(self.ports[number]),
            "--no-proxy-headers",
            "--log-level",
            "warning",
            "--no-access-log",
            "--timeout-keep-alive",
            "75",
        ]
        command = [sys.executable, "-m", "uvicorn", "tests.ha.app:app", *options]
        with self._log.open("ab") as log:
            self._processes[number] = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        await_answer(f"{self.url(self.ports[number])}/open", 60)

    def kill(self, number: int) -> None:
        """Kill a process."""
        self._processes[number].kill()
        self._processes[number].wait()

    def vitals(self) -> dict[str, int]:
        """Return what the first process holds; nothing if it does not answer."""
        try:
            with urllib.request.urlopen(f"{self.url(self.ports[0])}/vitals", timeout=10) as answer:
                found: dict[str, int] = json.load(answer)
        except OSError:
            return {}
        return found

    def close(self) -> None:
        """Kill all processes."""
        for number in self._processes:
            self.kill(number)


class PostgreSQL:
    """A server that is killed, drops its connections, or stops for a moment; two workers live through it all."""

    name: ClassVar[str] = "postgresql"
    kills_workers: ClassVar[bool] = False

    def __init__(self, folder: Path) -> None:
        """Start the server."""
        self.server = Server(15)
        self.url = self.server.database()
        self._workers = Workers(self.url, 2, folder, self.name)
        self.route = self._workers.route
        self.most_connections = 2 * CONNECTIONS
        self.kills = 0
        self._random = random.Random(15)

    def up(self) -> None:
        self._workers.up()

    async def trouble(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(*PAUSES))
            kind = self._random.choice([self._kill, self._drop, self._pause])
            self.kills += 1
            await asyncio.shield(asyncio.to_thread(kind))

    def _kill(self) -> None:
        self.server.kill()
        time.sleep(self._random.uniform(0, 4))
        self.server.start()

    def _drop(self) -> None:
        others = "pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()"
        self.server.sql(f"SELECT pg_terminate_backend(pid) FROM {others}")

    def _pause(self) -> None:
        """Stop all processes of the server: nothing answers, nothing is closed."""
        process = self.server._process
        assert process is not None
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("utf-8").split()
        pids = [process.pid, *map(int, children)]
        _send(pids, signal.SIGSTOP)
        time.sleep(self._random.uniform(0.5, 4))
        _send(pids, signal.SIGCONT)

    def mend(self) -> None:
        self.server.start()

    def sample(self) -> dict[str, int]:
        found = self._workers.vitals()
        try:
            counted = self.server.sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + self.url.rpartition("/")[2] + "'"
            )
        except (OSError, subprocess.SubprocessError):
            return {}
        return {**found, "connections": int(str(counted).strip())} if found else {}

    async def rows(self) -> Rows:
        import asyncpg

        connection = await asyncpg.connect(self.url)
        try:
            emails = [row["email"] for row in await connection.fetch("SELECT email FROM auth_users")]
            found = await connection.fetch("SELECT id::text AS id, generation, revoked_at FROM auth_sessions")
        finally:
            await connection.close()
        return emails, {row["id"]: dict(row) for row in found}

    def damage(self) -> list[str]:
        return []

    def close(self) -> None:
        self._workers.close()
        self.server.close()


class SQLite:
    """A file with three workers; two of them are killed in the middle of their work, one is measured."""

    name: ClassVar[str] = "sqlite"
    kills_workers: ClassVar[bool] = True

    def __init__(self, folder: Path) -> None:
        """Choose the file."""
        self.file = folder / "soak.db"
        self._workers = Workers(f"sqlite:///{self.file}", 3, folder, self.name)
        self.route = self._workers.route
        self.most_connections = 0
        self.kills = 0
        self._random = random.Random(3)

    def up(self) -> None:
        self._workers.up()

    async def trouble(self) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(*PAUSES))
            number = self._random.choice([1, 2])
            self.kills += 1
            await asyncio.shield(asyncio.to_thread(self._restart, number))

    def _restart(self, number: int) -> None:
        self._workers.kill(number)
        self._workers.start(number)

    def mend(self) -> None:
        """Nothing is away."""

    def sample(self) -> dict[str, int]:
        found = self._workers.vitals()
        journal = Path(f"{self.file}-wal")
        return {**found, "journal": journal.stat().st_size // 1024 if journal.exists() else 0} if found else {}

    async def rows(self) -> Rows:
        connection = sqlite3.connect(self.file)
        emails = [row[0] for row in connection.execute("SELECT email FROM auth_users")]
        found = connection.execute("SELECT id, generation, revoked_at FROM auth_sessions").fetchall()
        connection.close()
        return emails, {row[0]: {"generation": row[1], "revoked_at": row[2]} for row in found}

    def damage(self) -> list[str]:
        connection = sqlite3.connect(self.file)
        ((answer,),) = connection.execute("PRAGMA integrity_check").fetchall()
        connection.close()
        return [] if answer == "ok" else [f"the file is damaged: {answer}"]

    def close(self) -> None:
        self._workers.close()


def _send(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
