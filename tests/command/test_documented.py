"""The lines of the documentation, as a person runs them."""

import json
import re
import shlex
from pathlib import Path

import pytest

from asgi_auth.command.commands import COMMANDS
from asgi_auth.command.parser import make_parser
from tests.command.commands import PASSWORD, process
from tests.docs.files import DOCS, FILES, README, everything, fences
from tests.support import EMAIL, SECRET

LINE = re.compile(r"asgi-auth [a-z][^\n`|<>)]*")
#: Commands in the text, and those in a shell.
WORDS = re.compile(r"`asgi-auth ([a-z][^`]*)`")


def test_the_first_administrator_of_the_quickstart_is_one_line(tmp_path: Path) -> None:
    code = next(code for code in fences(DOCS / "quickstart.md", "python") if "AuthMiddleware(api, auth" in code)
    (tmp_path / "app.py").write_text(code, "utf-8")
    shell = [code for code in fences(DOCS / "quickstart.md", "sh") if "pip install" not in code]
    [line] = [line for code in shell for line in LINE.findall(code)]
    program, *arguments = shlex.split(line)
    assert (program, arguments[0]) == ("asgi-auth", "create-admin")

    done = process(*arguments, "--password-stdin", "--json", stdin=PASSWORD, cwd=tmp_path, env={"AUTH_SECRET": SECRET})

    assert (done.status, done.err) == (0, "")
    user = json.loads(done.out)
    assert (user["roles"], user["email_verified"], user["status"]) == (["admin"], True, "active")
    again = process(*arguments, "--password-stdin", stdin=PASSWORD, cwd=tmp_path, env={"AUTH_SECRET": SECRET})
    assert again.status == 1


def test_the_readme_has_the_same_line() -> None:
    assert f"`asgi-auth create-admin {EMAIL} --app app:auth`" in README.read_text("utf-8")


def test_every_command_of_the_documentation_can_be_parsed() -> None:
    parser = make_parser(COMMANDS)
    # Brackets and braces are those of the table that the parser makes.
    in_text = [f"asgi-auth {words}" for words in WORDS.findall(everything()) if not set(words) & set("[{")]
    shell = [line for file in FILES for code in fences(file, "sh") for line in code.splitlines()]
    in_shell = [found for line in shell if "pip install" not in line for found in LINE.findall(line)]
    # A sentence may name a command without its arguments.
    lines = {line.strip() for line in (*in_text, *in_shell)} - {f"asgi-auth {command.name}" for command in COMMANDS}

    for line in sorted(lines):
        try:
            parser.parse_args(shlex.split(line)[1:])
        except SystemExit:
            pytest.fail(f"{line} is no command")
    assert len(lines) > 10
