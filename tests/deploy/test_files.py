"""The unit of systemd and the container file: what can be checked of them without running them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.programs import FILES, adapted, program
from tests.docs.files import DOCS, ROOT
from tests.support import SECRET

GUIDES = DOCS / "guides"


def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    changes = {"/srv/app/.venv/bin/asgi-auth": "/bin/true", "/srv/app/.venv/bin/gunicorn": "/bin/true"}
    (tmp_path / "app.service").write_text(adapted("app.service", changes), "utf-8")

    command = [program("systemd-analyze"), "verify", "--man=no", str(tmp_path / "app.service")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert [line for line in done.stderr.splitlines() if "app.service" in line] == []


def commands(name: str) -> dict[str, list[str]]:
    """Return what the unit starts, by the setting."""
    text = (FILES / name).read_text("utf-8")
    return {key: value.split() for key, value in re.findall(r"^(Exec\w+)=(.+)$", text, re.MULTILINE)}


def test_the_check_of_the_unit_passes_for_the_app_of_the_guide(tmp_path: Path) -> None:
    """The environment is that of the unit, with a file for the secret."""
    unit = (FILES / "app.service").read_text("utf-8")
    environment = dict(value.split("=", 1) for value in re.findall(r"^Environment=(.+)$", unit, re.MULTILINE))
    (tmp_path / "auth-secret").write_text(SECRET, "utf-8")
    environment["AUTH_SECRET_FILE"] = environment["AUTH_SECRET_FILE"].replace("%d", str(tmp_path))
    environment["AUTH_DATABASE_URL"] = f"sqlite:///{tmp_path}/auth.db"

    _, command, app = commands("app.service")["ExecStartPre"]
    done = subprocess.run(
        [sys.executable, "-m", "asgi_auth", command, app],
        env=os.environ | environment | {"PYTHONPATH": f"{ROOT}:{FILES}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (command, app) == ("check", "app:auth")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_container_and_the_unit_start_the_same_server() -> None:
    container = (FILES / "Dockerfile").read_text("utf-8")
    (started,) = re.findall(r"^CMD (\[.+\])$", container, re.MULTILINE)
    unit = commands("app.service")["ExecStart"]

    assert re.findall(r'"(.+?)"', started) == ["gunicorn", *unit[1:3], "-b", "0.0.0.0:8000", unit[3]]


@pytest.mark.parametrize("file", sorted(FILES.iterdir()), ids=lambda file: file.name)
def test_every_file_is_shown_in_a_guide(file: Path) -> None:
    text = "".join(page.read_text("utf-8") for page in GUIDES.glob("*.md"))

    assert f"(../../examples/deploy/{file.name})" in text
