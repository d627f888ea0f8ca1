"""The units of systemd and the container file: what can be checked of them without running them."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.programs import FILES, program
from tests.docs.files import DOCS, ROOT, fences
from tests.support import SECRET

GUIDES = DOCS / "guides"


@pytest.mark.parametrize("name", ["app.service", "app-migrate.service"])
def test_systemd_finds_no_fault_in_a_unit(name: str, tmp_path: Path) -> None:
    text = re.sub(r"/srv/app/\.venv/bin/\S+", "/bin/true", (FILES / name).read_text("utf-8"))
    (tmp_path / name).write_text(text, "utf-8")

    command = [program("systemd-analyze"), "verify", "--man=no", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert "/bin/true" in text
    assert [line for line in done.stderr.splitlines() if name in line] == []


def settings(name: str) -> dict[str, str]:
    """Return the settings of a unit, or of a file for its environment; the last one of a name."""
    return dict(re.findall(r"^(\w+)=(.+)$", (FILES / name).read_text("utf-8"), re.MULTILINE))


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of the unit, with SQLite in a folder, which has the credential, too."""
    (folder / "auth-secret").write_text(SECRET, "utf-8")
    name, _, credential = settings("app.service")["Environment"].partition("=")
    return {
        **settings("app.conf"),
        name: credential.replace("%d", str(folder)),
        "AUTH_DATABASE_URL": f"sqlite:///{folder}/auth.db",
        "CREDENTIALS_DIRECTORY": str(folder),
        "PYTHONPATH": f"{ROOT}:{FILES}",
    }


def run(command: list[str], variables: dict[str, str], folder: Path) -> str:
    """Run a command of a unit in a folder, whose `.venv` has the command of the library; return what it prints."""
    script = folder / ".venv" / "bin" / "asgi-auth"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m asgi_auth "$@"\n', "utf-8")
    script.chmod(0o755)
    command = [word.replace("/srv/app", str(folder)) for word in command]
    outer = {name: value for name, value in os.environ.items() if not name.startswith("AUTH_")}
    done = subprocess.run(command, cwd=folder, env=outer | variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_units_make_the_tables_check_the_app_and_an_administrator_is_made_beside_them(tmp_path: Path) -> None:
    unit, variables = settings("app.service"), environment(tmp_path)
    migrating = {name: variables[name] for name in ("AUTH_DATABASE_URL", "PYTHONPATH")}
    (line,) = [code for code in fences(GUIDES / "deployment.md", "sh") if code.startswith("systemd-run")]
    options = shlex.split(line.replace("\\\n", ""))
    start = options.index("sh")

    assert "Ran the migrations" in run(settings("app-migrate.service")["ExecStart"].split(), migrating, tmp_path)
    run(unit["ExecStartPre"].split(), variables, tmp_path)
    del variables["AUTH_SECRET_FILE"]  # systemd-run does not have it, so the shell sets it
    run([*options[start:], "--no-password"], variables, tmp_path)  # there is no terminal to ask for one

    assert "admin" in run([".venv/bin/asgi-auth", "roles", "ada@example.com"], environment(tmp_path), tmp_path)
    assert set(options[:start]) >= {
        f"--uid={unit['User']}",
        f"--working-directory={unit['WorkingDirectory']}",
        f"--property=EnvironmentFile={unit['EnvironmentFile']}",
        f"--property=LoadCredential={unit['LoadCredential']}",
    }


def test_the_container_and_the_unit_start_the_same_server() -> None:
    container = (FILES / "Dockerfile").read_text("utf-8")
    (started,) = re.findall(r"^CMD (\[.+\])$", container, re.MULTILINE)
    unit = settings("app.service")["ExecStart"].split()

    assert re.findall(r'"(.+?)"', started) == ["gunicorn", *unit[1:3], "-b", "0.0.0.0:8000", unit[3]]


@pytest.mark.parametrize("file", sorted(FILES.iterdir()), ids=lambda file: file.name)
def test_every_file_is_shown_in_a_guide(file: Path) -> None:
    text = "".join(page.read_text("utf-8") for page in GUIDES.glob("*.md"))

    assert f"(../../examples/deploy/{file.name})" in text
