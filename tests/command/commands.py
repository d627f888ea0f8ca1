"""Runs commands in process and in processes of their own, on an app in a module or on the environment."""

import json
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Argon2, Passwords
from asgi_auth.command import target
from asgi_auth.command.main import main
from asgi_auth.feature import Feature
from asgi_auth.features.defaults import defaults
from tests.support import SECRET

ROOT = Path(__file__).parents[2]
#: A password that fits the policy, as `--password-stdin` reads it.
PASSWORD = "correct horse battery"
APP = """
from asgi_auth import {names}
auth = Auth({url!r}, settings=Settings(secret={secret!r}, enumeration="tell"), features=[
    Passwords(argon2=Argon2.cheap()), *[each for each in defaults(mail=False) if type(each).__name__ != "Passwords"],
    {more}])
app = AuthMiddleware(AuthApp(auth), auth)
"""


def cheap_defaults(*, mail: bool) -> list[Feature]:
    """The default features, with the cheapest hashes: a busy machine refuses others."""
    others = [each for each in defaults(mail=mail) if not isinstance(each, Passwords)]
    return [Passwords(argon2=Argon2.cheap()), *others]


@dataclass
class Done:
    """How a command has ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The one line of standard error."""
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.removesuffix("\n")


class Commands:
    """Runs commands in process, on a database of the environment."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str) -> None:
        self._patch = patch
        self._capsys = capsys
        self.url = url
        patch.setenv("AUTH_DATABASE_URL", url)
        patch.setenv("AUTH_SECRET", SECRET)
        patch.setattr(target, "defaults", cheap_defaults)

    def __call__(self, *arguments: str, stdin: str | bytes | None = None) -> Done:
        """Run a command; `stdin` is what it reads."""
        if stdin is not None:
            self._patch.setattr(sys, "stdin", _Stdin(stdin if isinstance(stdin, bytes) else stdin.encode()))
        try:
            status = main(list(arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
        read = self._capsys.readouterr()
        return Done(status, read.out, read.err)

    def ok(self, *arguments: str, stdin: str | None = None) -> Any:
        """Run a command that has to succeed, and return what it prints with `--json`."""
        done = self(*arguments, "--json", stdin=stdin)
        assert (done.status, done.err) == (0, ""), done
        return done.json


class _Stdin:
    """Standard input that another program writes."""

    def __init__(self, text: bytes) -> None:
        from io import BytesIO

        self.buffer = BytesIO(text)

    def isatty(self) -> bool:
        return False


def process(*arguments: str, stdin: str = "", cwd: Path, env: Mapping[str, str]) -> Done:
    """Run the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "asgi_auth", *arguments],
        input=stdin,
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "AUTH_SECRET": SECRET, "PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def write_app(folder: Path, url: str, more: str = "", *, after: str = "") -> str:
    """Write a module with an app that has cheap hashes; return the import path of its `Auth`.

    `more` are further features, `after` is the rest of the module. Its name is new: Python imports a name once.
    """
    names = "Admin, Argon2, Auth, AuthApp, AuthMiddleware, BrowserClient, Passwords, SecondFactors, Settings, Totp"
    text = APP.format(url=url, secret=SECRET, more=more, names=names)
    name = f"shop_{uuid.uuid4().hex}"
    (folder / f"{name}.py").write_text(f"from asgi_auth.features.defaults import defaults\n{text}{after}", "utf-8")
    return f"{name}:auth"
