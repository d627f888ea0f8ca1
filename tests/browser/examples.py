"""The larger examples, each in a process of its own, for the tests in browsers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster import await_answer, free_port
from tests.docs.files import ROOT
from tests.support import SECRET

EXAMPLES = ROOT / "examples"


def variables(name: str, folder: Path, url: str) -> dict[str, str]:
    """Give the environment of an example, with its database in a folder."""
    of_the_app = {"AUTH_SECRET": SECRET, "AUTH_BASE_URL": url, "AUTH_DATABASE_URL": f"sqlite:///{folder}/{name}.db"}
    return {**os.environ, **of_the_app, "AUTH_DEVELOPMENT": "true", "CART_SECRET": SECRET, "PYTHONPATH": str(ROOT)}


@contextmanager
def served(name: str, folder: Path, port: int | None = None) -> Iterator[str]:
    """Run an example on a port, with its database in a folder, and kill it."""
    port = port or free_port()
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES / name), f"{name}:app", "--port", str(port)]
    with subprocess.Popen([*command, "--log-level", "error"], env=variables(name, folder, url)) as process:
        try:
            await_answer(f"http://127.0.0.1:{port}/auth/health")
            yield url
        finally:
            # It closes no connection, as a server that crashes.
            process.kill()


def length(name: str) -> int:
    """Count the lines of all files of an example."""
    files = [file for file in (EXAMPLES / name).rglob("*") if file.suffix in {".py", ".html", ".js", ".css", ".svg"}]
    return sum(len(file.read_text("utf-8").splitlines()) for file in files)
