"""Schemathesis, with all of its checks, against the running app: by what is documented, and against it.

SCHEMATHESIS_SECONDS=600 makes it look longer.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import server

ROOT = Path(__file__).parent.parent.parent
SECONDS = int(os.environ.get("SCHEMATHESIS_SECONDS", "5"))


@pytest.mark.timeout(240 + 3 * SECONDS)
@pytest.mark.parametrize(
    ("login", "phases", "seconds"),
    [("bearer", "examples,coverage", 2 * SECONDS), ("cookie", "fuzzing,stateful", SECONDS), ("", "fuzzing", SECONDS)],
    ids=["every bound, by bearer", "a search and sequences, by cookie", "a search, by nobody"],
)
def test_the_app_does_what_its_document_says(login: str, phases: str, seconds: int, tmp_path: Path) -> None:
    with server("tests.openapi.served", "", {}) as url:
        done = subprocess.run(
            [
                *(
                    sys.executable,
                    "-m",
                    "schemathesis.cli",
                    "--config-file",
                    str(ROOT / "tests/openapi/schemathesis.toml"),
                    "run",
                ),
                *(f"{url}/auth/openapi.json", "--checks", "all", "--continue-on-failure", "--no-color"),
                *("--generation-database", "none", "--phases", phases, "--max-time", str(seconds)),
            ],
            cwd=tmp_path,  # where it keeps a cache
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "AUTH_URL": f"{url}/auth",
                "LOGIN": login,
                "SCHEMATHESIS_HOOKS": "tests.openapi.hooks",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    (passed,) = re.findall(r"(\d+) generated, \1 passed", done.stdout)
    assert int(passed) > 20
