"""Programs of the machine that the tests start with the files of `examples/deploy`."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import free_port
from tests.support import SECRET

ROOT = Path(__file__).parents[2]
FILES = ROOT / "examples" / "deploy"
HOST = "app.example.com"


def program(name: str) -> str:
    """Return the path of a program. A machine without it fails the test instead of passing it over."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/bin")
    assert found, f"{name} is missing: `make proxies` installs it on Debian"
    return found


def adapted(name: str, changes: dict[str, str]) -> str:
    """Return a file of `examples/deploy` with the paths and ports of a test. Each text to change must be there."""
    text = (FILES / name).read_text("utf-8")
    for old, new in changes.items():
        assert old in text, f"{name} does not have {old!r}"
        text = text.replace(old, new)
    return text


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate for the host, and a context that trusts it."""

    chain: Path
    key: Path
    both: Path
    trust: ssl.SSLContext


def certificate(folder: Path) -> Certificate:
    """Make a certificate of an authority of its own."""
    # The benchmarks take other functions of this module, and have no such package.
    import trustme

    authority, trust = trustme.CA(), ssl.create_default_context()
    issued = authority.issue_cert(HOST)
    made = Certificate(folder / "fullchain.pem", folder / "privkey.pem", folder / "both.pem", trust)
    made.chain.write_bytes(issued.cert_chain_pems[0].bytes())
    issued.private_key_pem.write_to_path(str(made.key))
    issued.private_key_and_cert_chain_pem.write_to_path(str(made.both))
    authority.configure_trust(trust)
    return made


@contextmanager
def running(command: list[str], port: int, folder: Path, environment: dict[str, str] | None = None) -> Iterator[None]:
    """Run a program until the end of the block, from the time when it accepts connections at a port."""
    with (folder / f"{Path(command[0]).name}-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        accepted(port, process, Path(log.name))
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def accepted(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a program accepts connections."""
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text("utf-8", "replace"))


@contextmanager
def app_under_gunicorn(folder: Path, base_url: str, workers: int = 2, code: Path = FILES) -> Iterator[int]:
    """Run the app in the folder `code` under gunicorn with the file of settings; give the port."""
    port = free_port()
    settings = adapted("gunicorn.conf.py", {"127.0.0.1:8000": f"127.0.0.1:{port}"})
    (folder / "gunicorn.conf.py").write_text(settings, "utf-8")
    environment = {
        "AUTH_DATABASE_URL": f"sqlite:///{folder}/auth.db",
        "AUTH_SECRET": SECRET,
        "AUTH_BASE_URL": base_url,
        "AUTH_TRUSTED_PROXIES": "127.0.0.1",
        "PYTHONPATH": f"{ROOT}:{code}",
        "WEB_CONCURRENCY": str(workers),
    }
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        str(folder / "gunicorn.conf.py"),
        "-p",
        str(folder / "pid"),
        "app:app",
    ]
    with running(command, port, folder, environment):
        yield port
