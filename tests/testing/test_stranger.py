"""The tests of an app of a stranger, with the kit as it is installed: a wheel, the plugin by its entry point."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.testing.process import ROOT, pytest_in

STRANGER = Path(__file__).parent / "stranger"


def installed(folder: Path) -> Path:
    """Build the wheel, and unpack it as an installer does."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_the_tests_of_another_app_pass(tmp_path: Path) -> None:
    tests = shutil.copytree(STRANGER, tmp_path / "stranger", ignore=shutil.ignore_patterns("__pycache__"))

    # By its name among the entry points: the module `asgi_auth` is no plugin.
    done = pytest_in(tests, path=installed(tmp_path), plugin="asgi_auth")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "226 passed" in done.stdout
