"""Redis servers for the tests: processes of their own, on nothing but memory."""

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.cluster import free_port
from tests.deploy.programs import adapted

#: The name of the primary for Sentinel, in the files and in URLs.
MASTER = "mymaster"
#: By default, a primary waits five seconds for further replicas before it copies its data to one.
PROMPT = ("--repl-diskless-sync-delay", "0")


def missing() -> str:
    """Say what is missing for tests with Redis, which is optional; empty when all is there."""
    if shutil.which("redis-server") is None:
        return "there is no redis-server: make redis installs it from Debian"
    return "" if importlib.util.find_spec("redis") else "the extra redis is not installed"


class RedisServer:
    """One server on a free port of the loopback address."""

    def __init__(self, folder: Path, *options: str, password: str = "") -> None:
        """Start it, with further options; `password` is that of `cli`."""
        if reason := missing():
            # Benchmarks use this module without pytest.
            import pytest

            pytest.skip(reason)
        self._folder = folder
        self._options = options
        self._password = password
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process = self._start()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Kill it for a while; it comes back empty."""
        self.close()
        yield
        self.process = self._start()

    def close(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()

    def cli(self, *command: str) -> str:
        """Run a command of redis-cli, and return its output."""
        full = ["redis-cli", "-p", str(self.port), *command]
        environment = os.environ | {"REDISCLI_AUTH": self._password}
        return subprocess.run(full, check=True, capture_output=True, text=True, timeout=30, env=environment).stdout

    def _start(self) -> "subprocess.Popen[bytes]":
        options = [*PROMPT, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        process = subprocess.Popen(["redis-server", *self._options, *options], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return process
            time.sleep(0.02)
        process.kill()
        process.wait()
        raise RuntimeError("redis-server does not start")


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for a minute at most."""
    end = time.monotonic() + 60
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError("the servers of Redis do not come together")
        time.sleep(0.1)


class WatchedRedis:
    """A primary, two replicas and three Sentinels, which choose a new primary, with the files of `examples/deploy`."""

    def __init__(self, folder: Path) -> None:
        """Start all, and wait until the Sentinels know each other and the replicas."""
        self.primary = self._counting(folder / "primary")
        follow = ("--replicaof", f"127.0.0.1 {self.primary.port}")
        self.replicas = [self._counting(folder / f"replica{number}", *follow) for number in range(2)]
        self.sentinels = [self._watching(folder / f"sentinel{number}") for number in range(3)]
        until(lambda: all("master_link_status:up" in each.cli("info", "replication") for each in self.replicas))
        until(lambda: all(self._knows(sentinel) for sentinel in self.sentinels))
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        self.url = f"redis+sentinel://:the-password@{hosts}/{MASTER}?sentinel_password=another-password"

    def replicated(self) -> None:
        """Wait until the replicas have what was written to the primary."""
        self.primary.cli("eval", "return redis.call('set', 'last', '1')", "0")
        until(lambda: all(replica.cli("get", "last").strip() == "1" for replica in self.replicas))

    def close(self) -> None:
        """Kill all of them."""
        for server in (*self.sentinels, self.primary, *self.replicas):
            server.close()

    @staticmethod
    def _counting(folder: Path, *options: str) -> RedisServer:
        folder.mkdir()
        file = folder / "redis.conf"
        file.write_text(adapted("redis.conf", {"dir /var/lib/redis": f"dir {folder}"}), "utf-8")
        # The file is the first argument.
        return RedisServer(folder, str(file), *options, password="the-password")

    def _watching(self, folder: Path) -> RedisServer:
        folder.mkdir()
        changes = {
            "dir /var/lib/redis": f"dir {folder}",
            f"{MASTER} redis1 6379": f"{MASTER} 127.0.0.1 {self.primary.port}",
            "down-after-milliseconds mymaster 2000": "down-after-milliseconds mymaster 1000",
            "failover-timeout mymaster 10000": "failover-timeout mymaster 5000",
        }
        file = folder / "sentinel.conf"
        file.write_text(adapted("sentinel.conf", changes), "utf-8")
        return RedisServer(folder, str(file), "--sentinel", password="another-password")

    @staticmethod
    def _knows(sentinel: RedisServer) -> bool:
        told = sentinel.cli("sentinel", "master", MASTER).split("\n")
        known = dict(zip(told[::2], told[1::2], strict=False))
        return (known["num-slaves"], known["num-other-sentinels"]) == ("2", "2")


class RedisCluster:
    """Three primaries that share the keys, with a replica each."""

    def __init__(self, folder: Path) -> None:
        """Start all, and wait until the cluster has all slots and each primary its replica."""
        self.servers: list[RedisServer] = []
        nodes = []
        for number in range(6):
            bus = free_port()
            options = ["--cluster-enabled", "yes", "--cluster-port", str(bus), "--cluster-node-timeout", "1500"]
            self.servers.append(RedisServer(folder, *options, "--cluster-config-file", f"node{number}.conf"))
            nodes.append(f"127.0.0.1:{self.servers[-1].port}@{bus}")
        command = ["redis-cli", "--cluster", "create", *nodes, "--cluster-replicas", "1", "--cluster-yes"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        until(lambda: all(self._is_whole(server) for server in self.servers))
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers[:2])

    def primary_of(self, key: str) -> RedisServer:
        """Return the server that has a key."""
        slot = int(self.servers[0].cli("cluster", "keyslot", key))
        for server in self.servers:
            if server.process.poll() is None and server.cli("role").startswith("master"):
                for line in server.cli("cluster", "nodes").splitlines():
                    ranges = [part.partition("-") for part in line.split()[8:] if "myself" in line and "[" not in part]
                    if any(int(low) <= slot <= int(high or low) for low, _, high in ranges):
                        return server
        raise RuntimeError("no server has the slot")

    def close(self) -> None:
        """Kill all of them."""
        for server in self.servers:
            server.close()

    @staticmethod
    def _is_whole(server: RedisServer) -> bool:
        nodes = server.cli("cluster", "nodes")
        is_linked = "master" in server.cli("role") or "master_link_status:up" in server.cli("info", "replication")
        return is_linked and nodes.count("slave") == 3 and "cluster_state:ok" in server.cli("cluster", "info")
