"""Schemathesis, with all of its checks, against the running app: by what is documented, and against it.

It tries every bound and example by bearer, searches and sequences by cookie, and a search without a login.
SCHEMATHESIS_EXAMPLES=500 makes it search longer; a number and no time bounds it, so that a busy machine skips nothing.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import server

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")


@pytest.mark.timeout(200 + 10 * int(EXAMPLES))
@pytest.mark.parametrize(
    ("login", "phases"), [("bearer", "examples,coverage"), ("cookie", "fuzzing,stateful"), ("", "fuzzing")]
)
def test_the_app_does_what_its_document_says(login: str, phases: str, tmp_path: Path) -> None:
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
                *("--generation-database", "none", "--phases", phases, "-n", EXAMPLES, "--seed", "1"),
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
    assert int(re.findall(r"([\d,]+) generated", done.stdout)[0].replace(",", "")) > 20, done.stdout
