"""A Redis server for the tests: an own process on nothing but memory."""

import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.cluster import free_port


def missing() -> str:
    """Say what is missing for tests with Redis, which is optional; empty when all is there."""
    if shutil.which("redis-server") is None:
        return "there is no redis-server: make redis installs it from Debian"
    return "" if importlib.util.find_spec("redis") else "the extra redis is not installed"


class RedisServer:
    """One server on a free port of the loopback address."""

    def __init__(self, folder: Path) -> None:
        """Start it."""
        if reason := missing():
            # Benchmarks use this module without pytest.
            import pytest

            pytest.skip(reason)
        self._folder = folder
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}"
        self._process = self._start()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Kill it for a while; it comes back empty."""
        self.close()
        yield
        self._process = self._start()

    def close(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self._folder)]
        process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return process
            time.sleep(0.02)
        process.kill()
        process.wait()
        raise RuntimeError("redis-server does not start")
