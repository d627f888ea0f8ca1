"""Every snippet of the documentation runs: Python in its own process, curl walks against the demo."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from asgi_auth.crypto.key_rotation import create
from tests.cluster import await_answer, free_port
from tests.docs.files import DOCS, FILES, OF_PROJECT, README, ROOT, fences, name_of
from tests.support import SECRET
from tests.testing.process import CONFIGURATION, pytest_in

#: The guides about tests are run by pytest.
ABOUT_TESTS = [DOCS / "guides" / "testing.md", DOCS / "guides" / "testing-ways-in.md"]
WITH_PYTHON = [file for file in FILES if fences(file, "python") and file not in ABOUT_TESTS]
#: The first line of a snippet that is a file of an app with tests.
NAME = re.compile(r"# (\w+\.py)\n")
WITH_WALKS = [file for file in FILES if fences(file, "bash")]


@pytest.mark.parametrize("file", WITH_PYTHON, ids=name_of)
def test_every_snippet_runs(file: Path, tmp_path: Path) -> None:
    alone = [code for code in fences(file, "python") if not OF_PROJECT.match(code)]
    for number, code in enumerate(alone, 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "snippet.py").write_text(code, "utf-8")
        if "keys.json" in code:
            create(str(folder / "keys.json"), "EdDSA", 1_800_000_000)

        done = subprocess.run(
            [sys.executable, "-W", "error::SyntaxWarning", "snippet.py"],
            cwd=folder,
            env={"AUTH_SECRET": SECRET, "REPORTS_SECRET": SECRET[::-1], "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, f"snippet {number} of {name_of(file)}:\n{code}\n{done.stderr}"


def test_the_tests_in_the_guides_about_tests_pass(tmp_path: Path) -> None:
    """They run as a user runs them: all files in one folder, by pytest with its plugin."""
    snippets = [code for file in ABOUT_TESTS for code in fences(file, "python")]
    for code in snippets:
        name = NAME.match(code)
        assert name, code
        (tmp_path / name[1]).write_text(code, "utf-8")
    (tmp_path / "pytest.ini").write_text(CONFIGURATION.format(mode="auto"), "utf-8")

    done = pytest_in(tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{sum(code.count('def test_') for code in snippets)} passed" in done.stdout


@pytest.mark.parametrize("file", WITH_PYTHON, ids=name_of)
def test_snippets_import_public_modules_only(file: Path) -> None:
    rooms = r"errors|feature|features\.defaults|(storage|hosts)(\.\w+)?|mail|importing|testing(\.provider|\.contract)?"
    public = rf"asgi_auth(\.({rooms}|verify))?"
    imported = re.findall(r"^\s*(?:from|import) (asgi_auth[\w.]*)", "\n".join(fences(file, "python")), re.MULTILINE)

    assert [module for module in imported if not re.fullmatch(public, module)] == []


def test_a_snippet_that_runs_stands_in_the_first_fifteen_lines() -> None:
    head = README.read_text("utf-8").splitlines()[:15]

    assert "```python" in head[:6]
    assert "```" in head[:15]
    assert any("AuthMiddleware(" in line for line in head)


@pytest.mark.parametrize("file", WITH_WALKS, ids=name_of)
def test_a_walk_by_curl_does_what_it_says(file: Path, tmp_path: Path) -> None:
    port = free_port()
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PORT": str(port), "PYTHONPATH": str(ROOT)}
    demo = [sys.executable, str(ROOT / "examples" / "demo.py")]
    walks = fences(file, "bash")
    with subprocess.Popen(demo, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            await_answer(f"http://127.0.0.1:{port}")
            done = [walked(walk, port, environment, tmp_path) for walk in walks]
        finally:
            server.terminate()
        printed = server.stdout.read() if server.stdout else ""

    for walk, output in zip(walks, done, strict=True):
        statuses = re.findall(r"^(\d{3})$", output, re.MULTILINE)
        assert statuses == re.findall(r"# (\d{3})\b", walk)
        assert [said for said in re.findall(r"# \d{3}.*: (\"\w.*)$", walk, re.MULTILINE) if said not in output] == []
    assert printed.count("\n  curl ") == 3


def walked(walk: str, port: int, environment: dict[str, str], folder: Path) -> str:
    """Run a walk; return its output, with the status of each call that prints its response."""
    walk = walk.replace(":8000", f":{port}").replace("curl -s", "curl -s -w '\\n%{http_code}\\n'")
    walk = re.sub(r"(\w+=\$\(curl -s) -w '.*?'", r"\1", walk)
    shell = ["bash", "-euc", walk]
    done = subprocess.run(shell, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_walk_of_the_quickstart_shows_the_whole_life_of_a_session() -> None:
    (walk,) = fences(DOCS / "quickstart.md", "bash")

    assert re.findall(r"# (\d{3})\b", walk) == ["201", "200", "200", "204", "401"]
    assert re.findall(r"# \d{3}.*: (.+)", walk) == ['"current":true', '"code":"token_revoked"']
