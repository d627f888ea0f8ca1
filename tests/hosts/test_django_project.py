"""A project of Django with the files of the guide: its own tests pass, by `manage.py test`."""

import os
import subprocess
import sys
from pathlib import Path

import httpx2

from tests.cluster import free_port
from tests.deploy.programs import running
from tests.docs.files import DOCS, OF_PROJECT, ROOT, fences
from tests.support import SECRET

ENVIRONMENT = {"AUTH_DATABASE_URL": "sqlite://", "AUTH_SECRET": SECRET, "PYTHONPATH": str(ROOT)}


def project(folder: Path) -> set[str]:
    """Make a project as Django does, with the files of the guide; return their names."""
    subprocess.run([sys.executable, "-m", "django", "startproject", "mysite", str(folder)], check=True)
    written = set()
    for code in fences(DOCS / "guides" / "django.md", "python"):
        if named := OF_PROJECT.match(code):
            # The guide has the part of the settings that changes.
            with (folder / named[1]).open("a" if "settings" in named[1] else "w", encoding="utf-8") as file:
                file.write(code)
            written.add(Path(named[1]).stem)
    return written


def its_tests(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the tests of the project."""
    command = [sys.executable, "manage.py", "test"]
    return subprocess.run(
        command, cwd=folder, env=os.environ | ENVIRONMENT, capture_output=True, text=True, check=False
    )


def test_the_project_of_the_guide_passes_its_tests(tmp_path: Path) -> None:
    assert project(tmp_path) == {"asgi", "settings", "tests", "urls", "views"}

    done = its_tests(tmp_path)

    assert done.returncode == 0, done.stderr
    assert "Ran 2 tests" in done.stderr


def test_without_csrf_exempt_django_refuses_a_script_and_its_development_server_knows_no_user(tmp_path: Path) -> None:
    project(tmp_path)
    views = tmp_path / "mysite" / "views.py"
    views.write_text(views.read_text("utf-8").replace("@csrf_exempt\n", ""), "utf-8")
    port = free_port()
    command = [sys.executable, "manage.py", "runserver", "--noreload", str(port)]

    tested = its_tests(tmp_path)
    with running(command, port, tmp_path, ENVIRONMENT):
        health = httpx2.get(f"http://127.0.0.1:{port}/auth/health")
        payroll = httpx2.get(f"http://127.0.0.1:{port}/payroll")

    assert "ERROR: test_a_script_writes_a_note" in tested.stderr
    assert (health.status_code, payroll.status_code) == (404, 401)
