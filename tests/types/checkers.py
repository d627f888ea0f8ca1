"""Runs of pyright and mypy on this checkout of the library."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PYTHON = "3.11"


@dataclass(frozen=True, order=True)
class Problem:
    """One error of a checker: the file, the line (from 1) and the message."""

    file: str
    line: int
    checker: str
    message: str


def verified(package: str, folder: Path) -> dict[str, Any]:
    """Return pyright's report on the completeness of a package's types; `folder` is any folder without the package."""
    report: dict[str, Any] = pyright("--verifytypes", package, "--ignoreexternal", folder=folder)
    faults = [item["message"] for item in report["generalDiagnostics"] if not item["file"]]
    assert not faults, faults
    completeness: dict[str, Any] = report["typeCompleteness"]
    checked = Path(completeness["packageRootDirectory"])
    assert checked == ROOT / package, f"pyright checked {checked}, not this checkout"
    return completeness


def pyright_problems(folder: Path) -> list[Problem]:
    """Check all files of a folder with pyright in standard mode."""
    config = {"typeCheckingMode": "standard", "pythonVersion": PYTHON, "extraPaths": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(config))
    report = pyright("--project", str(folder), folder=folder)
    return [
        Problem(Path(item["file"]).name, item["range"]["start"]["line"] + 1, "pyright", item["message"])
        for item in report["generalDiagnostics"]
        if item["severity"] == "error"
    ]


def pyright(*arguments: str, folder: Path) -> dict[str, Any]:
    """Run pyright for this interpreter and return its JSON report."""
    # `--verifytypes` ignores `--pythonpath`: it takes the first interpreter on the PATH.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    command = [sys.executable, "-m", "pyright", *arguments, "--outputjson"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def mypy_problems(folder: Path) -> list[Problem]:
    """Check all files of a folder with mypy and its default options; missing stubs of frameworks don't count.

    Comments that ignore an error must name its code, and must be needed.
    """
    command = [
        *(sys.executable, "-m", "mypy", "--config-file", os.devnull, "--python-version", PYTHON),
        *("--follow-imports", "silent", "--disable-error-code", "import-untyped", "--no-pretty", "--no-error-summary"),
        *("--warn-unused-ignores", "--enable-error-code", "ignore-without-code"),
        *("--cache-dir", str(ROOT / ".mypy_cache" / "snippets"), "."),
    ]
    environment = os.environ | {"MYPYPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    found = re.findall(r"^(.+?):(\d+): error: (.+)$", done.stdout, re.MULTILINE)
    return [Problem(file, int(line), "mypy", message) for file, line, message in found]
