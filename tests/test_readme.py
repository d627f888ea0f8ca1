"""The README is true: its snippets run, its tables are the code's, and whatever can be switched is named in it."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import (
    Account,
    Argon2,
    Audit,
    EmailVerification,
    Lockout,
    MagicLink,
    NewDevice,
    OpenAPI,
    Pages,
    PasswordPolicy,
    PasswordReset,
    Passwords,
    RateLimits,
    RedisCounters,
    Sessions,
    SMTPMailer,
    Unlock,
)
from asgi_auth.feature.base import BaseFeature
from asgi_auth.storage import Names
from asgi_auth.texts import purposes
from tests.cluster import await_answer, free_port
from tests.documentation import README, with_tables
from tests.support import SECRET

TEXT = README.read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
(WALK,) = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_every_snippet_runs(number: int, tmp_path: Path) -> None:
    script = tmp_path / "snippet.py"
    script.write_text(SNIPPETS[number])

    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", script.name],
        cwd=tmp_path,
        env={"AUTH_SECRET": SECRET, "PYTHONPATH": str(README.parent)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_a_snippet_that_runs_stands_in_the_first_fifteen_lines() -> None:
    head = TEXT.splitlines()[:15]

    assert "```python" in head[:6]
    assert any("AuthMiddleware(" in line for line in head)


def test_the_tables_are_those_of_the_code() -> None:
    assert with_tables(TEXT) == TEXT, "run: python -m tests.documentation"


@pytest.mark.parametrize(
    "kind",
    [
        Passwords,
        PasswordPolicy,
        Argon2,
        Names,
        Sessions,
        EmailVerification,
        PasswordReset,
        Account,
        Audit,
        NewDevice,
        MagicLink,
        RateLimits,
        Lockout,
        Unlock,
        RedisCounters,
        Pages,
        OpenAPI,
        SMTPMailer,
    ],
)
def test_every_option_of_the_parts_is_named(kind: type[Any]) -> None:
    options = [name for name in inspect.signature(kind).parameters if name not in {"parallelism", "testing"}]

    missing = [name for name in options if not re.search(rf"\b{name}\b", TEXT)]

    assert missing == []


def test_every_purpose_of_a_mail_is_named() -> None:
    assert [purpose for purpose in purposes() if f"`{purpose}`" not in TEXT] == []


def test_every_hook_is_named() -> None:
    hooks = [
        name
        for name, value in vars(BaseFeature).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    ]

    assert len(hooks) == 13
    assert [name for name in hooks if f"`{name}" not in TEXT] == []


def test_every_example_and_every_glue_is_linked() -> None:
    root = README.parent
    examples = {path.name for path in (root / "examples").glob("*_app.py")}
    glue = {path.stem for path in (root / "asgi_auth" / "hosts").glob("*.py")} - {"__init__", "guard", "merge"}

    assert {name for name in examples if f"(examples/{name})" not in TEXT} == set()
    assert {name for name in glue if f"`asgi_auth.hosts.{name}`" not in TEXT} == set()


def test_every_picture_is_there_and_shown() -> None:
    folder = README.parent / "examples" / "screenshots"
    shown = set(re.findall(r"\(examples/screenshots/(.+?\.png)\)", TEXT))

    assert {picture.name for picture in folder.glob("*.png")} == shown
    assert {name for name in shown if (folder / name).stat().st_size > 200_000} == set()


def test_the_diagrams_are_there() -> None:
    headings = re.findall(r"### (.+)\n(?:.*\n)*?```mermaid", TEXT)

    assert headings == ["Login", "An authenticated request", "Refresh", "Revocation"]


def test_the_walk_by_curl_does_what_it_says(tmp_path: Path) -> None:
    port = free_port()
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PORT": str(port), "PYTHONPATH": str(README.parent)}
    demo = [sys.executable, str(README.parent / "examples" / "demo.py")]
    with subprocess.Popen(demo, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            await_answer(f"http://127.0.0.1:{port}")
            walk = WALK.replace(":8000", f":{port}").replace("curl -s", "curl -s -w '\\n%{http_code}\\n'")
            walk = re.sub(r"(PAIR=\$\(curl -s) -w '.*?'", r"\1", walk)
            done = subprocess.run(["bash", "-euc", walk], env=environment, capture_output=True, text=True, check=True)
        finally:
            server.terminate()
        printed = server.stdout.read() if server.stdout else ""

    statuses = re.findall(r"^(\d{3})$", done.stdout, re.MULTILINE)
    assert statuses == ["201", "200", "200", "204", "401"]
    assert '"current":true' in done.stdout
    assert "token_revoked" in done.stdout
    assert printed.count("\n  curl ") == 3
