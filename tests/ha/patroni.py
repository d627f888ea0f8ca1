"""Three hosts of PostgreSQL under Patroni with etcd, as the files of `examples/deploy` set them up."""

import asyncio
import json
import pwd
import signal
import subprocess
import time
import urllib.request
from typing import Any

import asyncpg

from tests.deploy.programs import FILES
from tests.ha.isolation import STATE
from tests.ha.programs import Programs

NODES = ("db1", "db2", "db3")
DATABASE, WORD = "app", "a-password-of-a-role"
#: Seconds that nodes have to come up, or to come back after a failure.
LONG = 45


class Cluster:
    """The nodes by name; each has a data directory of its own in memory."""

    def __init__(self, programs: Programs) -> None:
        """Start nothing yet."""
        self._programs = programs

    async def up(self) -> None:
        """Start etcd and all nodes, and make the database with the roles of the guide."""
        self.start_etcd()
        for node in NODES:
            self._make_folders(node)
        self.start("db1")
        await until(lambda: self.primary() == "db1", "the first node is the primary")
        for node in NODES[1:]:
            self.start(node)
        await until(lambda: self.is_whole(synchronous=True), "all nodes are up")
        await self.execute("db1", f"CREATE DATABASE {DATABASE}", "postgres")
        await asyncio.to_thread(self._make_roles)

    def start_etcd(self) -> None:
        """Start etcd, alone on its host."""
        client, peer = "http://etcd1:2379", "http://etcd1:2380"
        address = "http://0.0.0.0:2379"
        options = {
            "data-dir": str(STATE / "etcd"),
            "listen-client-urls": address,
            "advertise-client-urls": client,
            "listen-peer-urls": "http://127.0.0.1:2380",
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
            "log-level": "error",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self._programs.start("etcd", "etcd1", ["etcd", *words])

    def start(self, node: str) -> None:
        """Start Patroni on a node, which starts PostgreSQL. The data and the sockets are those of the node."""
        environment = {
            "PATRONI_NAME": node,
            "PATRONI_RESTAPI_CONNECT_ADDRESS": f"{node}:8008",
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": f"{node}:5432",
            "PATRONI_SUPERUSER_PASSWORD": WORD,
            "PATRONI_REPLICATION_PASSWORD": WORD,
            "HOME": "/var/lib/postgresql",
        }
        binds = {"/var/lib/postgresql": str(STATE / node / "data"), "/var/run/postgresql": str(STATE / node / "run")}
        # A copy, as the repository may be out of reach for the user of PostgreSQL.
        file = STATE / "patroni.yml"
        file.write_text((FILES / "patroni.yml").read_text("utf-8"), "utf-8")
        command = ["patroni", str(file)]
        self._programs.start(f"patroni-{node}", node, command, user="postgres", environment=environment, binds=binds)

    def start_missing(self) -> None:
        """Start what was killed."""
        if not self._programs.is_running("etcd"):
            self.start_etcd()
        for node in NODES:
            if not self._programs.is_running(f"patroni-{node}"):
                self.start(node)

    def kill_etcd(self) -> None:
        """Kill etcd."""
        self._programs.stop("etcd")

    def kill_server(self, node: str) -> None:
        """Kill the main process of PostgreSQL; its children notice and end."""
        pid = int((STATE / node / "data" / "15" / "app" / "postmaster.pid").read_text().splitlines()[0])
        subprocess.run(["kill", "-9", str(pid)], check=True)

    def kill_host(self, node: str) -> None:
        """Kill Patroni and PostgreSQL, as the loss of a host does."""
        self._programs.stop(f"patroni-{node}")
        self.kill_server(node)

    def freeze_agent(self, node: str) -> None:
        """Stop Patroni without an end; PostgreSQL goes on."""
        self._programs.send(f"patroni-{node}", signal.SIGSTOP)

    def thaw_agents(self) -> None:
        """Let each Patroni go on."""
        for node in NODES:
            if self._programs.is_running(f"patroni-{node}"):
                self._programs.send(f"patroni-{node}", signal.SIGCONT)

    async def be_synchronous(self, *, synchronous: bool) -> None:
        """Turn `synchronous_mode` on or off, and wait until it holds."""
        node = await until(self.primary, "there is a primary")
        self.ask(node, "/config", "PATCH", {"synchronous_mode": synchronous})
        await until(lambda: self.is_whole(synchronous=synchronous), "the mode holds")

    def primary(self) -> str | None:
        """Return the node that its Patroni calls the primary."""
        return next((node for node in NODES if self._state(node).get("role") in {"master", "primary"}), None)

    def standbys(self) -> list[str]:
        """Return the other nodes, a synchronous one first."""
        states = {node: self._state(node) for node in NODES}
        others = [node for node in NODES if states[node].get("role") == "replica"]
        return sorted(others, key=lambda node: not states[node].get("sync_standby", False))

    def is_whole(self, *, synchronous: bool) -> bool:
        """Tell whether one primary and two standbys of its timeline run, one of them synchronous or none."""
        states = self.states = [self._state(node) for node in NODES]
        lines = {state.get("timeline") for state in states}
        running = [state.get("state") for state in states]
        primaries = [state for state in states if state.get("role") in {"master", "primary"}]
        streaming = len(primaries[0].get("replication", [])) == 2 if len(primaries) == 1 else False
        has_sync = any(state.get("sync_standby") for state in states)
        return running == ["running"] * 3 and len(lines) == 1 and streaming and has_sync == synchronous

    def ask(self, node: str, path: str, method: str = "GET", body: Any = None, seconds: float = 2) -> Any:
        """Call the REST interface of the Patroni of a node."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{node}:8008{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            text = answer.read().decode()
        return json.loads(text) if text.startswith("{") else text

    async def execute(self, node: str, sql: str, database: str = DATABASE) -> list[Any]:
        """Run a statement on a node, as the superuser."""
        connection = await asyncpg.connect(superuser(node, database), timeout=5)
        try:
            rows: list[Any] = await connection.fetch(sql, timeout=5)
            return rows
        finally:
            connection.terminate()

    def _state(self, node: str) -> dict[str, Any]:
        try:
            state: dict[str, Any] = self.ask(node, "/patroni", seconds=1)
        except (OSError, ValueError):
            return {}
        return state

    def _make_folders(self, node: str) -> None:
        user = pwd.getpwnam("postgres")
        for folder in (STATE / node / "data", STATE / node / "run"):
            folder.mkdir(parents=True)
            subprocess.run(["chown", f"{user.pw_uid}:{user.pw_gid}", str(folder)], check=True)

    def _make_roles(self) -> None:
        words = [part for role in ("owner", "web", "backup") for part in ("-v", f"{role}_password={WORD}")]
        script = ["-f", str(FILES / "roles.sql"), superuser("db1")]
        subprocess.run(["psql", "-Xq", *words, *script], check=True, capture_output=True)


def superuser(node: str, database: str = DATABASE) -> str:
    """Return the URL of the superuser at a node."""
    return f"postgresql://postgres:{WORD}@{node}:5432/{database}?sslmode=disable"


async def until(question: Any, what: str, seconds: float = LONG) -> Any:
    """Ask until the answer is true, and return it; in a thread, as the answer may take long."""
    end = time.monotonic() + seconds
    while not (answer := await asyncio.to_thread(question)):
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(0.25)
    return answer
