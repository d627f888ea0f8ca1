"""Install each contender into `.venv-comparison`, measure it, and write the results: `python -m benchmarks.comparison`.

Names of contenders as arguments select them. An installation that fails is noted and leaves the others alone.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.comparison.contenders import CONTENDERS, PASSWORD, Contender
from benchmarks.comparison.measures import GROUPS, prepare

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = ROOT / ".venv-comparison"
RESULTS = HERE / "results.json"


def install(contender: Contender) -> list[str]:
    """Make the environment of a contender unless it is there; return the command that starts its app."""
    folder = FOLDER / contender.name
    if contender.node:
        app = folder / "app.mjs"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "requirements" / "package.json", folder)
        shutil.copy(HERE / "apps" / f"{contender.name}_app.mjs", app)
        if not (folder / "node_modules").exists():
            run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder)
        return ["node", str(app)]
    python = folder / "bin" / "python"
    if not python.exists():
        run(sys.executable, "-m", "venv", str(folder))
        run(str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements" / f"{contender.name}.txt"))
        if contender.name == "asgi_auth":
            run(str(python), "-m", "pip", "install", "-q", str(ROOT))
    module = f"{contender.name}_app:app"
    return [str(python), "-m", "uvicorn", module, "--no-proxy-headers", "--log-level", "warning", "--port"]


def run(*command: str, cwd: Path | None = None) -> None:
    """Run a command to its end."""
    subprocess.run(command, cwd=cwd, check=True, timeout=600)


@contextmanager
def serving(contender: Contender, command: list[str]) -> Iterator[int]:
    """Run the app on a new database; give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "COMPARISON_FILE": f"{folder}/app.db",
            "COMPARISON_PASSWORD": PASSWORD,
            "COMPARISON_PORT": str(port),
            "COMPARISON_SECRET": secrets.token_urlsafe(48),
            "COMPARISON_URL": f"http://127.0.0.1:{port}",
        }
        process = subprocess.Popen(
            command if contender.node else [*command, str(port)], cwd=HERE / "apps", env=environment
        )
        try:
            wait(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the app accepts connections; it may create its users first."""
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("the app did not start")


def measured(contender: Contender) -> dict[str, Any]:
    """Return all figures of a contender: each group of measures has a process and a database of its own."""
    command = install(contender)
    figures: dict[str, Any] = {}
    for group in GROUPS:
        with serving(contender, command) as port:
            prepare(contender, port)
            for measure in group:
                figures |= measure(contender, port)
    return figures


def main(names: list[str]) -> None:
    """Measure the named contenders, or all."""
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    for contender in CONTENDERS:
        if names and contender.name not in names:
            continue
        load = round(os.getloadavg()[0], 1)
        try:
            figures = measured(contender)
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            figures = {"error": str(error)}
        results[contender.name] = {"at": f"{datetime.now(UTC):%Y-%m-%d}", "load": load, **figures}
        print(contender.title, json.dumps(results[contender.name]))
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
